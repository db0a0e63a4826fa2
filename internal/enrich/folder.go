// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Folder is where data sets lie. Nothing in it is ever half written, and two that
// write wait for each other.
type Folder string

// DefaultFolder returns the folder that is meant if none is given: what
// TRACEFLOW_DATA says; otherwise that of the machine for root, and for everyone
// else their own, unless only that of the machine has data. A home that may not
// even be entered is somebody else's: HOME was left over from another user.
// Services have none at all.
func DefaultFolder() Folder {
	if folder := os.Getenv("TRACEFLOW_DATA"); folder != "" {
		return Folder(folder)
	}
	machine := machineFolder()
	if os.Geteuid() == 0 { // -1 on Windows
		return machine
	}
	own, err := ownFolder()
	if err != nil {
		return machine
	}
	_, err = os.Stat(own.path(manifestFile))
	if errors.Is(err, fs.ErrPermission) || err != nil && machine.hasManifest() {
		return machine
	}
	return own
}

// WritableFolder is the default folder to add data to: never that of the machine
// but for root.
func WritableFolder() (Folder, error) {
	if os.Getenv("TRACEFLOW_DATA") != "" || os.Geteuid() == 0 {
		return DefaultFolder(), nil
	}
	return ownFolder()
}

// machineFolder is where the administrator puts data for all users.
func machineFolder() Folder {
	if runtime.GOOS == "windows" {
		return Folder(filepath.Join(os.Getenv("ProgramData"), "traceflow"))
	}
	return "/var/lib/traceflow"
}

func ownFolder() (Folder, error) {
	// The specification of base directories has relative ones ignored.
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return Folder(filepath.Join(data, "traceflow")), nil
	}
	if runtime.GOOS == "windows" {
		local, err := os.UserCacheDir() // %LocalAppData%
		return Folder(filepath.Join(local, "traceflow")), err
	}
	home, err := os.UserHomeDir()
	return Folder(filepath.Join(home, ".local", "share", "traceflow")), err
}

func (f Folder) hasManifest() bool {
	_, err := os.Stat(f.path(manifestFile))
	return err == nil
}

func (f Folder) path(name string) string { return filepath.Join(string(f), name) }

// Sets returns the data sets, those that are believed most first.
func (f Folder) Sets() ([]Set, error) {
	m, err := readManifest(string(f))
	slices.SortStableFunc(m.Sets, func(a, b Set) int { return a.trust().compare(b.trust()) })
	return m.Sets, err
}

// change calls do with the manifest, while nobody else can write, and writes what
// it has become. Files that belong to no set any more are removed.
func (f Folder) change(do func(*manifest) error) error {
	if err := os.MkdirAll(string(f), 0o755); err != nil {
		return err
	}
	unlock, err := lockedfile.MutexAt(f.path(".lock")).Lock()
	if err != nil {
		return err
	}
	defer unlock()
	m, err := readManifest(string(f))
	if err != nil {
		return err
	}
	if err := do(&m); err != nil {
		f.sweep()
		return err
	}
	if err := m.write(string(f)); err != nil {
		f.sweep()
		return err
	}
	f.sweep()
	return nil
}

// ourFile matches what fileName makes.
var ourFile = regexp.MustCompile(`^[A-Za-z0-9._-]+-[0-9a-f]{12}\.(table|mmdb)$`)

// sweep removes files that this folder had or was about to have: of sets that were
// replaced, as some licences want, and of writers that were stopped. What does not
// go now, because someone has it open, goes the next time.
func (f Folder) sweep() {
	m, err := readManifest(string(f))
	if err != nil {
		return
	}
	keep := make(map[string]bool)
	for _, s := range m.Sets {
		keep[s.File] = true
	}
	entries, _ := os.ReadDir(string(f))
	for _, e := range entries {
		left, _ := filepath.Match(temporaryPattern, e.Name())
		if left || ourFile.MatchString(e.Name()) && !keep[e.Name()] {
			_ = os.Remove(f.path(e.Name()))
		}
	}
}

// Remove removes sets by their names: all of them, or none.
func (f Folder) Remove(names ...string) error {
	sets, err := f.Sets()
	if err != nil {
		return err
	}
	// Before a folder is made in vain.
	if err := missing(sets, names); err != nil {
		return err
	}
	return f.change(func(m *manifest) error {
		if err := missing(m.Sets, names); err != nil {
			return err
		}
		m.Sets = slices.DeleteFunc(m.Sets, func(s Set) bool { return slices.Contains(names, s.Name) })
		return nil
	})
}

// missing is the error for names that are not among the sets.
func missing(sets []Set, names []string) error {
	var have []string
	for _, s := range sets {
		have = append(have, s.Name)
	}
	slices.Sort(have)
	for _, name := range names {
		if !slices.Contains(have, name) {
			return &NoSetError{Name: name, Have: have}
		}
	}
	return nil
}

// NoSetError is the name of a data set that is not in the folder.
type NoSetError struct {
	Name string
	Have []string
}

func (e *NoSetError) Error() string {
	if len(e.Have) == 0 {
		return "there is no data set " + quote(e.Name) + ": there is none at all"
	}
	verb := "are"
	if len(e.Have) == 1 {
		verb = "is"
	}
	return "there is no data set " + quote(e.Name) + "; there " + verb + " " + strings.Join(e.Have, ", ")
}

// Verify reads a set as a whole: its checksum, and everything in it.
func (f Folder) Verify(s *Set) error {
	sum, err := fileDigest(f.path(s.File))
	if err != nil {
		return err
	}
	if sum != s.SHA256 {
		return errors.New("the checksum is another than when it was added")
	}
	if s.Kind == KindMMDB {
		db, err := openMMDB(f.path(s.File))
		if err != nil {
			return err
		}
		_, err = db.survey()
		return errors.Join(err, db.Close())
	}
	t, err := openTable(f.path(s.File))
	if err != nil {
		return err
	}
	return errors.Join(t.verify(), t.Close())
}

func fileDigest(path string) (string, error) {
	h := newHash()
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	if _, err := in.WriteTo(h); err != nil {
		return "", err
	}
	return digest(h), nil
}
