// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"traceflow/internal/enrich"
	"traceflow/internal/snapshot"
)

// maintenance is the folder of one: what was measured before, at the last check,
// and at the end.
type maintenance struct {
	folder string
	maintState
}

// maintSchema names the form of a maintenance's state.
const maintSchema = "traceflow.maint/1"

// maintState is what a maintenance remembers: how to measure again as at its
// beginning.
type maintState struct {
	Schema  string     `json:"schema"`
	Name    string     `json:"name"`
	Begun   time.Time  `json:"begun"`
	Ended   *time.Time `json:"ended"`
	Wire    string     `json:"wire"`
	Source  string     `json:"source,omitempty"`
	Device  string     `json:"interface,omitempty"`
	Retries int        `json:"retries"`
	Timeout int64      `json:"timeout_us"`
	Ports   int        `json:"src_port"`
	Numeric bool       `json:"numeric,omitempty"`
}

const (
	stateFile  = "state.json"
	beginFile  = "begin.tfs" // until it is whole
	beforeFile = "before.tfs"
	checkFile  = "check.tfs"
	afterFile  = "after.tfs"
)

// fileOf is what a part of a maintenance measures into.
func fileOf(stage snapshot.Stage) string {
	switch stage {
	case snapshot.StageCheck:
		return checkFile
	case snapshot.StageEnd:
		return afterFile
	case snapshot.StageBegin:
	}
	return beforeFile
}

// rootFolder is where root's are kept.
const rootFolder = "/var/lib/traceflow/maint"

// maintFolder is where maintenances are kept unless --dir says otherwise: in the
// folder for state of the user, or for root that of the machine.
func maintFolder() (string, error) {
	// The specification of base directories has relative ones ignored.
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "traceflow", "maint"), nil
	}
	if runtime.GOOS == "windows" {
		local, err := os.UserCacheDir() // %LocalAppData%
		return filepath.Join(local, "traceflow", "maint"), err
	}
	if os.Geteuid() == 0 {
		return rootFolder, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "state", "traceflow", "maint"), err
}

// findMaintenance returns the place of a maintenance, begun or not.
func findMaintenance(dir, name string) (*maintenance, error) {
	if !enrich.ValidName(name) {
		return nil, usagef("%q is no name of a maintenance: letters and digits, with single . _ - between them", name)
	}
	if dir == "" {
		var err error
		if dir, err = maintFolder(); err != nil {
			return nil, err
		}
	}
	return &maintenance{folder: filepath.Join(dir, name), maintState: maintState{Schema: maintSchema, Name: name}}, nil
}

func (m *maintenance) path(file string) string { return filepath.Join(m.folder, file) }

// largestState is more than enough for a few lines.
const largestState = 1 << 20

// load reads the state; fs.ErrNotExist is that it has not begun.
func (m *maintenance) load() error {
	f, err := os.Open(m.path(stateFile))
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, largestState))
	if err != nil {
		return err
	}
	s := maintState{}
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	if s.Schema != maintSchema {
		if strings.HasPrefix(s.Schema, "traceflow.maint/") {
			return fmt.Errorf("%s: schema %.40q: a newer traceflow wrote this, so update this one", f.Name(), s.Schema)
		}
		return fmt.Errorf("%s: schema %.40q is no maintenance of traceflow", f.Name(), s.Schema)
	}
	m.maintState = s
	return nil
}

// under loads a maintenance that has begun and not ended.
func (m *maintenance) under() error {
	name := m.Name
	err := m.load()
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("maintenance %s has not begun (looked in %s)%s", name, m.folder, m.elsewhere())
	}
	return plain(err)
}

// elsewhere says what else somebody may have meant: one of root's, or another name.
func (m *maintenance) elsewhere() string {
	if _, err := os.Stat(filepath.Join(rootFolder, m.Name, stateFile)); err == nil {
		return ": it has as root, so use sudo, or --dir " + rootFolder
	}
	dir := filepath.Dir(m.folder)
	if names := maintenances(dir, ""); len(names) > 0 {
		slices.SortStableFunc(names, func(a, b string) int {
			return touched(filepath.Join(dir, b)).Compare(touched(filepath.Join(dir, a)))
		})
		return ": there are " + strings.Join(names[:min(len(names), mostWarned)], ", ")
	}
	return ": traceflow maint begin " + m.Name
}

// touched is when something was written into a folder last.
func touched(folder string) time.Time {
	info, err := os.Stat(folder)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// maintenances are the names of those in a folder that begin so.
func maintenances(dir, begun string) []string {
	entries, _ := os.ReadDir(dir) // by name
	var names []string
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), begun) && enrich.ValidName(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

func (m *maintenance) save() error {
	data, err := json.MarshalIndent(m.maintState, "", "  ")
	if err != nil {
		return err
	}
	return plain(snapshot.WriteFile(m.path(stateFile), func(out io.Writer) error {
		_, err := out.Write(append(data, '\n'))
		return err
	}))
}

// options are those that it was begun with.
func (m *maintenance) options(o *surveyOptions) {
	o.retries, o.timeout, o.sourcePort = m.Retries, seconds(time.Duration(m.Timeout)*time.Microsecond), m.Ports
	o.names.numeric = o.names.numeric || m.Numeric
	if o.sim == "" {
		o.wire, o.source, o.iface = m.Wire, m.Source, m.Device
	}
}
