// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"sync"

	"traceflow"
)

// Store answers from the data sets of a folder, and from tables in memory. It is
// safe for concurrent use; it starts no goroutine, and asks nobody.
type Store struct {
	sets []*openSet // those that are believed most first

	mu       sync.Mutex
	problems []error
}

// openSet is a data set that is open.
type openSet struct {
	traceflow.DataSet
	kind Kind
	source
	// Guarded by the store's mutex.
	used, broken bool
}

// source is what a set is asked.
type source interface {
	lookup(netip.Addr) (record, error)
	// asName is what the source calls an AS, wherever it is; "" if it cannot say.
	asName(asn uint32) (string, error)
	Close() error
}

// OpenStore opens the data sets of a folder: none, if it does not exist. What
// cannot be read is left out: see Problems.
func OpenStore(folder Folder) *Store {
	s := &Store{}
	m, err := readManifest(string(folder))
	if err == nil && !s.open(folder, m.Sets) {
		// A set was replaced between the two reads.
		_ = s.Close()
		s.sets, s.problems = nil, nil
		if m, err = readManifest(string(folder)); err == nil {
			s.open(folder, m.Sets)
		}
	}
	if err != nil {
		s.problems = append(s.problems, fmt.Errorf("no data sets: %w", err))
	}
	return s
}

// open opens sets. It reports whether the files of all of them are there.
func (s *Store) open(folder Folder, sets []Set) bool {
	all := true
	for i := range sets {
		source, err := openSource(folder, &sets[i])
		if err != nil {
			s.problems = append(s.problems, leftOut(sets[i].Name, err))
			all = all && !errors.Is(err, fs.ErrNotExist)
			continue
		}
		s.insert(&openSet{DataSet: sets[i].dataSet(), kind: sets[i].Kind, source: source})
	}
	return all
}

func leftOut(name string, err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path
	}
	return fmt.Errorf("data set %s is left out: %w", name, err)
}

func openSource(folder Folder, set *Set) (source, error) {
	path := folder.path(set.File)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() != set.Bytes {
		return nil, fmt.Errorf("%s has %d bytes where %d belong: it was cut short or altered", path, info.Size(), set.Bytes)
	}
	if set.Kind == KindMMDB {
		return openMMDB(path)
	}
	return openTable(path)
}

// AddTable adds a table in memory, such as that of a simulated network, as a set
// of that name and kind.
func (s *Store) AddTable(set traceflow.DataSet, t *Table) {
	s.insert(&openSet{DataSet: set, kind: Kind(set.Kind), source: t})
}

func (s *openSet) trust() trust { return trust{s.kind, s.Date, s.Name} }

// insert keeps the sets in order.
func (s *Store) insert(set *openSet) {
	names := func(name string) bool {
		return slices.ContainsFunc(s.sets, func(o *openSet) bool { return o.Name == name })
	}
	for base, n := set.Name, 2; names(set.Name); n++ {
		set.Name = fmt.Sprintf("%s-%d", base, n)
	}
	s.sets = append(s.sets, set)
	slices.SortStableFunc(s.sets, func(a, b *openSet) int { return a.trust().compare(b.trust()) })
}

// Close closes all sets.
func (s *Store) Close() error {
	var all []error
	for _, set := range s.sets {
		all = append(all, set.Close())
	}
	s.sets = nil
	return errors.Join(all...)
}

// Empty reports whether there is nothing to ask.
func (s *Store) Empty() bool { return len(s.sets) == 0 }

// Problems are the data sets that could not be read, one line each.
func (s *Store) Problems() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

// DataSets are the sets that have said something so far, those that are believed
// most first. Their names are unique.
func (s *Store) DataSets() []traceflow.DataSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	var used []traceflow.DataSet
	for _, set := range s.sets {
		if set.used {
			used = append(used, set.DataSet)
		}
	}
	return used
}

// ask asks one set. One that turns out to be damaged is not asked again.
func (s *Store) ask(set *openSet, address netip.Addr) record {
	if s.isBroken(set) {
		return record{}
	}
	r, err := set.lookup(address)
	if err != nil {
		s.broke(set, err)
		return record{}
	}
	return r
}

func (s *Store) isBroken(set *openSet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return set.broken
}

func (s *Store) broke(set *openSet, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !set.broken {
		set.broken = true
		s.problems = append(s.problems, leftOut(set.Name, err))
	}
}

// use notes that a set has said something, and returns its name.
func (s *Store) use(set *openSet) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	set.used = true
	return set.Name
}
