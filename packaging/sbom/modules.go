// SPDX-License-Identifier: BSD-3-Clause

package sbom

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Module is a part of a binary that others wrote.
type Module struct {
	Path, Version string
	Sum           string // as in go.sum; empty for the standard library
	Licence       string // an SPDX expression
	Text          string // the licence's own words
}

// Modules returns what go build recorded of a binary, the standard library
// first, with the licences, which are read from the module cache.
func Modules(binary []byte) ([]Module, error) {
	info, err := buildinfo.Read(bytes.NewReader(binary))
	if err != nil {
		return nil, err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	standard := Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")}
	if err := standard.license(strings.TrimSpace(string(root))); err != nil {
		return nil, err
	}
	modules := []Module{standard}
	var arguments []string
	for _, m := range info.Deps {
		if m.Replace != nil {
			return nil, fmt.Errorf("%s is replaced: its licence is not known", m.Path)
		}
		modules = append(modules, Module{Path: m.Path, Version: m.Version, Sum: m.Sum})
		arguments = append(arguments, m.Path+"@"+m.Version)
	}
	if len(arguments) == 0 {
		return modules, nil
	}
	// Downloads nothing that was needed to build.
	list, err := exec.Command("go", append([]string{"mod", "download", "-json"}, arguments...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("go mod download: %w", err)
	}
	for d := json.NewDecoder(bytes.NewReader(list)); ; {
		var found struct{ Path, Dir string }
		if err := d.Decode(&found); errors.Is(err, io.EOF) {
			return modules, nil
		} else if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(modules, func(m Module) bool { return m.Path == found.Path })
		if err := modules[i].license(found.Dir); err != nil {
			return nil, err
		}
	}
}

// license reads a module's licence from its folder.
func (m *Module) license(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := strings.ToUpper(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())))
		if e.IsDir() || !slices.Contains([]string{"LICENSE", "LICENCE", "COPYING"}, name) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return err
		}
		m.Text, m.Licence = string(text), recognise(string(text))
		if m.Licence == "" {
			return fmt.Errorf("%s: %s is of no licence that is known here", m.Path, e.Name())
		}
		return nil
	}
	return fmt.Errorf("%s: no licence in %s", m.Path, folder)
}

// recognise returns the SPDX expression of a licence by words that are in no
// other, or nothing.
func recognise(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	has := func(words string) bool { return strings.Contains(text, words) }
	bsd := has("Redistribution and use in source and binary forms")
	switch {
	case bsd && has("GNU General Public License"):
		return "BSD-3-Clause OR GPL-2.0-only"
	case has("Apache License") && has("Version 2.0"):
		return "Apache-2.0"
	case bsd && (has("Neither the name") || has("Neither name")):
		return "BSD-3-Clause"
	case bsd:
		return "BSD-2-Clause"
	case has("Permission is hereby granted, free of charge"):
		return "MIT"
	case has("Permission to use, copy, modify, and/or distribute this software") && has("this permission notice appear in all copies"):
		return "ISC"
	}
	return ""
}

// Notices returns the licences of all that others wrote, as these want it to
// go with a binary.
func Notices(modules []Module) []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, "The program traceflow contains the work of others, under these licences.")
	for _, m := range modules {
		name := m.Path
		if name == "std" {
			name = "the standard library and runtime of Go"
		}
		fmt.Fprintf(&b, "\n%s\n%s %s (%s)\n\n%s\n", strings.Repeat("-", 78), name, m.Version, m.Licence, strings.TrimSpace(m.Text))
	}
	return b.Bytes()
}
