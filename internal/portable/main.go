// SPDX-License-Identifier: BSD-3-Clause

// Command portable says whether everything, tests included, is right for other
// systems:
//
//	go run ./internal/portable linux/386 windows/arm64
//
// It checks types as the compiler does and makes no code, which would take ten
// times as long: what the tests need is a hundred thousand lines of others.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	failed := false
	for _, system := range os.Args[1:] {
		fmt.Println("types", system)
		if err := check(system); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", system, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

// listed is a package as go list -json describes it.
type listed struct {
	Dir, ImportPath string
	Standard        bool
	GoFiles         []string
	ImportMap       map[string]string
	Module          *struct {
		Main      bool
		GoVersion string
	}
	Error *struct{ Err string }
}

// check checks the packages of the module in the current folder, and as much of
// what they import as has to be known for that.
func check(system string) error {
	goos, goarch, ok := strings.Cut(system, "/")
	sizes := types.SizesFor("gc", goarch)
	if !ok || sizes == nil {
		return errors.New("no system: want GOOS/GOARCH")
	}
	// What is imported comes before what imports it.
	list := exec.Command("go", "list", "-deps", "-test", "-json=Dir,ImportPath,Standard,GoFiles,ImportMap,Module,Error", "./...")
	list.Env = append(list.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0") // cgo would make files first
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	var trouble []error
	own := 0
	checked := map[string]*types.Package{"unsafe": types.Unsafe}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if p.Error != nil {
			trouble = append(trouble, errors.New(p.Error.Err))
		}
		if checked[p.ImportPath] != nil || strings.HasSuffix(p.ImportPath, ".test") { // the test's main, which go test writes
			continue
		}
		ours := p.Module != nil && p.Module.Main
		config := types.Config{
			Importer: importer{&p, checked}, Sizes: sizes, FakeImportC: true, IgnoreFuncBodies: !ours,
			Error: func(err error) {
				if ours {
					trouble = append(trouble, err)
				}
			},
		}
		if p.Module != nil && p.Module.GoVersion != "" {
			config.GoVersion = "go" + p.Module.GoVersion
		}
		set := token.NewFileSet()
		files, err := parse(set, &p)
		if err != nil {
			return err
		}
		path, _, _ := strings.Cut(p.ImportPath, " ") // "a/b [a/b.test]"
		checked[p.ImportPath], _ = config.Check(path, set, files, nil)
		if ours {
			own++
		}
	}
	if own == 0 {
		trouble = append(trouble, errors.New("no package of the module"))
	}
	return errors.Join(trouble...)
}

func parse(set *token.FileSet, p *listed) ([]*ast.File, error) {
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// importer finds what one package imports among those checked before.
type importer struct {
	of      *listed
	checked map[string]*types.Package
}

func (i importer) Import(path string) (*types.Package, error) {
	if mapped, ok := i.of.ImportMap[path]; ok {
		path = mapped
	}
	p, ok := i.checked[path]
	if !ok {
		return nil, fmt.Errorf("%s is not there", path)
	}
	return p, nil
}
