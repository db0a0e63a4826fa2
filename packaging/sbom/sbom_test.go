// SPDX-License-Identifier: BSD-3-Clause

package sbom

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// build returns the command as it is on Linux.
func build(t *testing.T) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "traceflow")
	cmd := exec.Command("go", "build", "-o", file, "traceflow/cmd/traceflow")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	binary, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// TestBill makes the bill of the real command and wants what CycloneDX 1.6
// requires, what is known of the binary, and what go.sum says.
func TestBill(t *testing.T) {
	binary := build(t)
	modules, err := Modules(binary)
	if err != nil {
		t.Fatal(err)
	}
	subject := &Subject{
		Name: "traceflow", Version: "1.2.3", Licence: "BSD-3-Clause", Commit: "0123abcd", OS: "linux", Arch: "amd64",
		Binary: binary, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	bill, err := Bill(subject, modules)
	if err != nil {
		t.Fatal(err)
	}
	var d document
	decoder := json.NewDecoder(bytes.NewReader(bill))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		t.Fatal(err)
	}
	if d.Format != "CycloneDX" || d.SpecVersion != "1.6" || d.Version != 1 || d.Metadata.Timestamp != "2026-01-02T03:04:05Z" ||
		!regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(d.SerialNumber) {
		t.Errorf("the head is %+v", d)
	}
	sum := sha256.Sum256(binary)
	if got := d.Metadata.Component; got.Type != "application" || got.Hashes[0] != (hash{"SHA-256", hex.EncodeToString(sum[:])}) ||
		got.PURL != "pkg:golang/traceflow@v1.2.3?goarch=amd64&goos=linux" {
		t.Errorf("the subject is %+v", got)
	}
	sums, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range d.Components {
		if c.Type != "library" || c.PURL != "pkg:golang/"+c.Name+"@"+c.Version || c.Ref != c.PURL || len(c.Licences) != 1 || c.Licences[0].Expression == "" {
			t.Errorf("component %+v", c)
		}
		if c.Name != "std" && !strings.Contains(string(sums), c.Name+" "+c.Version+" "+c.Properties[0].Value+"\n") {
			t.Errorf("go.sum has not %s %s %s", c.Name, c.Version, c.Properties[0].Value)
		}
		if !slices.Contains(d.Dependencies[0].DependsOn, c.Ref) || d.Dependencies[i+1].Ref != c.Ref {
			t.Errorf("%s is no dependency", c.Ref)
		}
	}
	for _, name := range []string{"std", "github.com/spf13/cobra", "golang.org/x/sys", "kernel.org/pub/linux/libs/security/libcap/cap"} {
		if !slices.ContainsFunc(d.Components, func(c component) bool { return c.Name == name }) {
			t.Errorf("no %s", name)
		}
	}
	if slices.ContainsFunc(d.Components, func(c component) bool { return c.Name == "github.com/google/go-cmp" }) {
		t.Error("what only tests need is there")
	}
	if again, err := Bill(subject, modules); err != nil || !bytes.Equal(bill, again) {
		t.Errorf("one binary, two bills (%v)", err)
	}

	notices := string(Notices(modules))
	for _, m := range modules {
		if !strings.Contains(notices, strings.TrimSpace(m.Text)) || len(m.Text) < 500 {
			t.Errorf("the licence of %s is not among the notices", m.Path)
		}
	}
}

func TestRecognise(t *testing.T) {
	const bsd = "Redistribution and use in source\nand binary forms, with or without modification"
	tests := []struct{ name, text, want string }{
		{"three clauses", bsd + " ... Neither the name of X", "BSD-3-Clause"},
		{"two clauses", bsd, "BSD-2-Clause"},
		{"a choice", bsd + " ... GNU General Public License", "BSD-3-Clause OR GPL-2.0-only"},
		{"Apache", "Apache License\n  Version 2.0, January 2004", "Apache-2.0"},
		{"MIT", "Permission is hereby granted, free of charge, to any person", "MIT"},
		{"something else", "All rights reserved", ""},
		{"ISC", "Permission to use, copy, modify, and/or distribute this software for any\npurpose ... this permission notice appear in all copies", "ISC"},
		{"without a notice", "Permission to use, copy, modify, and/or distribute this software", ""},
		{"the GPL alone", "GNU General Public License", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := recognise(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestModulesRefusesWhatIsNoBinary(t *testing.T) {
	if m, err := Modules([]byte("#!/bin/sh\n")); err == nil {
		t.Errorf("got %v", m)
	}
}
