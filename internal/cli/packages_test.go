// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackageComments wants a comment on every package, in one file of it, and
// a licence line on every file.
func TestPackageComments(t *testing.T) {
	root := "../.."
	documented := make(map[string]int) // files with a package comment, by folder
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" && !hasGo(path)) {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(string(data), "// SPDX-License-Identifier: BSD-3-Clause\n\n") {
			t.Errorf("%s does not begin with the licence line", path)
		}
		if strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, data, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		folder := filepath.Dir(path)
		documented[folder] += 0
		if file.Doc == nil {
			return nil
		}
		documented[folder]++
		want := "Package " + file.Name.Name + " "
		if file.Name.Name == "main" {
			want = "" // a command says what it is in its own words
		}
		if got := file.Doc.Text(); !strings.HasPrefix(got, want) {
			t.Errorf("the comment in %s does not begin with %q", path, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(documented) < 8 {
		t.Errorf("found only %d packages", len(documented))
	}
	for folder, n := range documented {
		if n == 0 {
			t.Errorf("%s: package without a comment", folder)
		}
	}
}

// hasGo reports whether there is Go source anywhere below a folder.
func hasGo(folder string) bool {
	found := false
	_ = filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error { // what cannot be read is not built either
		found = found || strings.HasSuffix(path, ".go")
		return err
	})
	return found
}

// TestReadmeProgram wants the program in the README to be the one that is
// built.
func TestReadmeProgram(t *testing.T) {
	program, err := os.ReadFile("example/main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(program), "\npackage main\n")
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```go\npackage main\n"+code+"```\n") {
		t.Error("the README's program is not internal/cli/example/main.go")
	}
}
