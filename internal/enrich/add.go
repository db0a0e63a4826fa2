// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Addition says which files are to become data sets.
type Addition struct {
	// Files each become a set, but for those of PeeringDB, which become one.
	Files []string
	// Kind is found out if it is "".
	Kind Kind
	// Name is that of the only set that the files make; "" for the usual one.
	Name string
	// Force accepts a set that is much smaller than the one it replaces.
	Force bool
}

// smallest is the share of the rows of the set that it replaces that a new one
// must have: less is a file that was cut short, or another one.
const smallest = 0.8

// Add makes data sets out of files: all of them, or, with an error, none. Sets that
// have their names are replaced.
func (f Folder) Add(a Addition) ([]Set, error) {
	if err := a.validate(); err != nil {
		return nil, err
	}
	var added []Set
	err := f.change(func(m *manifest) error {
		drafts, err := a.drafts(string(f))
		if err != nil {
			return err
		}
		for _, d := range drafts {
			if err := a.admit(m, added, &d.Set); err != nil {
				return err
			}
			added = append(added, d.Set)
		}
		for _, d := range drafts {
			if err := d.file.rename(d.File); err != nil {
				return err
			}
			m.Sets = append(slices.DeleteFunc(m.Sets, func(s Set) bool { return s.Name == d.Name }), d.Set)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return added, nil
}

func (a *Addition) validate() error {
	switch {
	case len(a.Files) == 0:
		return errors.New("no file is given")
	case a.Name != "" && !ValidName(a.Name):
		return fmt.Errorf("%s is no name: letters and digits, with single . _ - between them, %d at most", quote(a.Name), maxName)
	}
	return nil
}

// admit decides whether a set may take its place.
func (a *Addition) admit(m *manifest, others []Set, s *Set) error {
	for _, other := range others {
		if other.Name == s.Name {
			return fmt.Errorf("%s and %s would both be called %s: add them one at a time, with --name", other.Given[0], s.Given[0], s.Name)
		}
	}
	old := m.find(s.Name)
	if old == nil || a.Force {
		return nil
	}
	if old.Kind != s.Kind {
		return fmt.Errorf("%s: the data set %s is of kind %s, and this is %s: another --name keeps both, --force replaces it", s.Given[0], s.Name, old.Kind, s.Kind)
	}
	if float64(s.Rows) < smallest*float64(old.Rows) {
		return fmt.Errorf("%s: %d rows, where the data set %s has %d now: is it whole? --force replaces it", s.Given[0], s.Rows, s.Name, old.Rows)
	}
	return nil
}

// draft is a set whose file has no name yet.
type draft struct {
	Set
	file *temporary
}

// drafts reads all files.
func (a *Addition) drafts(folder string) ([]draft, error) {
	sources, err := a.sources()
	if err != nil {
		return nil, err
	}
	if a.Name != "" && len(sources) > 1 {
		return nil, errors.New("--name is for one data set: add these files one at a time")
	}
	var all []draft
	for _, s := range sources {
		d, err := s.draft(folder)
		if err != nil {
			return nil, err
		}
		if a.Name != "" {
			d.Name = a.Name
		}
		d.File = d.fileName()
		all = append(all, d)
	}
	return all, nil
}

// givenSource is what one set is made from.
type givenSource struct {
	kind  Kind
	files []string
}

// sources finds out what the files are. Those of PeeringDB belong together.
func (a *Addition) sources() ([]givenSource, error) {
	var all []givenSource
	for _, path := range a.Files {
		kind := a.Kind
		if kind == "" {
			in, err := openInput(path, newHash())
			if err != nil {
				return nil, err
			}
			kind, err = in.detect()
			if err := errors.Join(err, in.Close()); err != nil {
				return nil, fmt.Errorf("%s: %w", in.name, err)
			}
		}
		i := slices.IndexFunc(all, func(s givenSource) bool { return s.kind == KindPeeringDB && kind == KindPeeringDB })
		if i < 0 {
			all = append(all, givenSource{kind, []string{path}})
		} else {
			all[i].files = append(all[i].files, path)
		}
	}
	return all, nil
}

// draft compiles a set into the folder.
func (s *givenSource) draft(folder string) (draft, error) {
	h := newHash()
	d := draft{Set: Set{Kind: s.kind, Licence: s.kind.licence(), Added: time.Now().UTC().Truncate(time.Second)}}
	peering := newPeeringDB()
	for _, path := range s.files {
		in, err := openInput(path, h)
		if err != nil {
			return draft{}, err
		}
		d.Given = append(d.Given, clean(in.name))
		if in.modified.After(d.Date) {
			d.Date = in.modified
		}
		switch s.kind {
		case KindMMDB:
			err = d.copyMMDB(folder, in)
		case KindPeeringDB:
			err = peering.read(in)
		default:
			err = d.compile(folder, func() (parsed, error) { return textReaders[s.kind](in) })
		}
		if err == nil {
			err = in.finish()
		}
		if err := errors.Join(err, in.Close()); err != nil {
			return draft{}, fmt.Errorf("%s: %w", in.name, err)
		}
	}
	if s.kind == KindPeeringDB {
		if err := d.compile(folder, peering.parsed); err != nil {
			return draft{}, fmt.Errorf("%s: %w", d.Given[0], err)
		}
	}
	d.GivenSHA256 = digest(h)
	return d, nil
}

// textReaders read the kinds that are one text table.
var textReaders = map[Kind]func(io.Reader) (parsed, error){
	KindPrefixes: readPrefixes,
	KindRISWhois: readRISWhois,
	KindPfx2as:   readPfx2as,
	KindIPToASN:  readIPToASN,
}

// compile writes what read reads as a table.
func (d *draft) compile(folder string, read func() (parsed, error)) error {
	p, err := read()
	if err != nil {
		return err
	}
	b, err := p.builder.build()
	if err != nil {
		return err
	}
	d.Name, d.Rows = d.Kind.setName(&p), p.rows
	if !p.date.IsZero() {
		d.Date = p.date
	}
	return d.write(folder, bytes.NewReader(b))
}

func (d *draft) write(folder string, content io.Reader) (err error) {
	if d.file, err = writeTemporary(folder, content); err != nil {
		return err
	}
	d.Bytes, d.SHA256 = d.file.bytes, d.file.sha256
	return nil
}

// copyMMDB keeps the file as it is, once every network of it could be read.
func (d *draft) copyMMDB(folder string, in io.Reader) error {
	if err := d.write(folder, in); err != nil {
		return err
	}
	db, err := openMMDB(d.file.path)
	if err != nil {
		return err
	}
	d.Name, d.Licence = nameFrom(db.Metadata.DatabaseType), mmdbLicence(&db.Metadata)
	if date := db.date(); !date.IsZero() {
		d.Date = date
	}
	d.Rows, err = db.survey()
	return errors.Join(err, db.Close())
}
