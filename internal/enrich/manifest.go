// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"traceflow"
)

// Set is what the manifest of a folder says of a data set.
type Set struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// File is in the folder; Bytes and SHA256 are its own.
	File   string `json:"file"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Given is what the files that it was made from were called, GivenSHA256 the
	// checksum of them, one after another.
	Given       []string `json:"given"`
	GivenSHA256 string   `json:"given_sha256"`
	// Date is that of the data: as they say, otherwise of the file that was given.
	Date    time.Time `json:"date"`
	Added   time.Time `json:"added"`
	Licence string    `json:"licence"`
	Rows    int       `json:"rows"`
}

// staleAfter is the age from which addresses have moved.
const staleAfter = 14 * 24 * time.Hour

// Stale reports whether the data are so old that newer ones should be added.
func (s *Set) Stale(now time.Time) bool { return s.Kind.ages() && now.Sub(s.Date) > staleAfter }

func (s *Set) trust() trust { return trust{s.Kind, s.Date, s.Name} }

func (s *Set) dataSet() traceflow.DataSet {
	return traceflow.DataSet{Name: s.Name, Kind: string(s.Kind), Date: s.Date, SHA256: s.GivenSHA256, Licence: s.Licence}
}

// manifest is the file that says what is in a folder.
type manifest struct {
	Schema string `json:"schema"`
	Sets   []Set  `json:"sets"`
}

const (
	manifestFile   = "manifest.json"
	manifestSchema = "traceflow.data/1"
	maxManifest    = 1 << 20 // bytes
	maxSets        = 100
)

// Extensions of the files of sets.
const (
	tableExtension = ".table"
	mmdbExtension  = ".mmdb"
)

// find returns the set of that name, or nil.
func (m *manifest) find(name string) *Set {
	for i := range m.Sets {
		if m.Sets[i].Name == name {
			return &m.Sets[i]
		}
	}
	return nil
}

// validate refuses what would lead out of the folder, or into confusion.
func (m *manifest) validate() error {
	if len(m.Sets) > maxSets {
		return fmt.Errorf("%d data sets are more than there can be", len(m.Sets))
	}
	seen := make(map[string]bool)
	for _, s := range m.Sets {
		switch {
		case !ValidName(s.Name):
			return fmt.Errorf("%s is no name of a data set", quote(s.Name))
		case seen[s.Name]:
			return fmt.Errorf("the data set %s is there twice", s.Name)
		case s.Kind.rank() < 0:
			return fmt.Errorf("%s is of a kind that this version does not know: %s", s.Name, quote(string(s.Kind)))
		case s.File != filepath.Base(s.File) || !filepath.IsLocal(s.File) || s.File != s.fileName():
			return fmt.Errorf("%s is no file of the data set %s", quote(s.File), s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

// fileName is what the file of a set is called: another content has another name,
// so that whoever reads the old file is not disturbed.
func (s *Set) fileName() string {
	extension := tableExtension
	if s.Kind == KindMMDB {
		extension = mmdbExtension
	}
	return fmt.Sprintf("%s-%.12s%s", s.Name, s.SHA256, extension)
}

// readManifest reads that of a folder. A folder without one has no sets.
func readManifest(folder string) (manifest, error) {
	path := filepath.Join(folder, manifestFile)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return manifest{Schema: manifestSchema}, nil
	} else if err != nil {
		return manifest{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err != nil {
		return manifest{}, err
	}
	m, err := parseManifest(b)
	if err != nil {
		return manifest{}, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func parseManifest(b []byte) (manifest, error) {
	if len(b) > maxManifest {
		return manifest{}, errors.New("too large")
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return manifest{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if m.Schema != manifestSchema {
		if strings.HasPrefix(m.Schema, "traceflow.data/") {
			return manifest{}, fmt.Errorf("schema %s is of another version of traceflow", quote(m.Schema))
		}
		return manifest{}, errors.New("not a manifest of traceflow")
	}
	return m, m.validate()
}

// write replaces that of the folder in one step.
func (m *manifest) write(folder string) error {
	if err := m.validate(); err != nil {
		return err
	}
	slices.SortFunc(m.Sets, func(a, b Set) int { return strings.Compare(a.Name, b.Name) })
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		return err
	}
	temporary, err := writeTemporary(folder, &b)
	if err != nil {
		return err
	}
	return temporary.rename(manifestFile)
}
