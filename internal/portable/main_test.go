// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheck has modules with a mistake that only one system has.
func TestCheck(t *testing.T) {
	tests := []struct {
		name   string
		files  map[string]string
		system string
		want   string // in the error; none if empty
	}{
		{"right", map[string]string{"a.go": "package a\n\nimport \"os\"\n\nvar A = os.Args\n"}, "windows/amd64", ""},
		{"of another system", map[string]string{"a.go": "package a", "a_windows.go": "package a\n\nvar A int = \"\"\n"}, "linux/386", ""},
		{"of this one", map[string]string{"a.go": "package a", "a_windows.go": "package a\n\nvar A int = \"\"\n"}, "windows/arm64", "cannot use"},
		{"in a function", map[string]string{"a.go": "package a\n\nfunc A() int { return 1 << 40 }\n"}, "linux/386", "overflows"},
		{"64 bits", map[string]string{"a.go": "package a\n\nfunc A() int { return 1 << 40 }\n"}, "linux/arm64", ""},
		{"missing there", map[string]string{"a.go": "package a\n\nvar A = b\n", "b_linux.go": "package a\n\nvar b int\n"}, "openbsd/amd64", "undefined: b"},
		{"in a test", map[string]string{"a.go": "package a", "a_test.go": "package a\n\nvar x int = \"\"\n"}, "linux/386", "cannot use"},
		{"in a test of outside", map[string]string{"a.go": "package a\n\nvar A int\n", "a_test.go": "package a_test\n\nimport \"m\"\n\nvar x string = a.A\n"}, "linux/386", "cannot use"},
		{"no such package", map[string]string{"a.go": "package a\n\nimport _ \"m/b\"\n"}, "linux/386", "go list"},
		{"no system", map[string]string{"a.go": "package a"}, "linux", "no system"},
		{"nothing there", nil, "linux/386", "no package"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Clean(name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("go.mod", "module m\n\ngo 1.26\n")
			for name, text := range tt.files {
				write(name, text)
			}
			switch err := check(tt.system); {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
