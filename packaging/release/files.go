// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"

	"traceflow/internal/cli"
	"traceflow/packaging/archive"
)

// manual returns the manual page.
func (r *release) manual() ([]byte, error) {
	var page bytes.Buffer
	err := cli.Manual(&page, r.time)
	return page.Bytes(), err
}

// shells are the completions, and what the shells want their files called.
var shells = []struct{ name, file, debian string }{
	{"bash", "traceflow.bash", "usr/share/bash-completion/completions/traceflow"},
	{"zsh", "_traceflow", "usr/share/zsh/vendor-completions/_traceflow"},
	{"fish", "traceflow.fish", "usr/share/fish/vendor_completions.d/traceflow.fish"},
	{"powershell", "traceflow.ps1", ""},
}

func completion(shell string) ([]byte, error) {
	var script, trouble bytes.Buffer
	if code := cli.Run(context.Background(), cli.Env{Out: &script, Err: &trouble}, []string{"completion", shell}); code != 0 {
		return nil, fmt.Errorf("completion %s: %s", shell, trouble.String())
	}
	return script.Bytes(), nil
}

func (r *release) man() error {
	page, err := r.manual()
	if err != nil {
		return err
	}
	return r.write("traceflow.1", func(w io.Writer) error { _, err := w.Write(page); return err })
}

func (r *release) completions() error {
	for _, s := range shells {
		script, err := completion(s.name)
		if err != nil {
			return err
		}
		if err := r.write("completions/"+s.file, func(w io.Writer) error { _, err := w.Write(script); return err }); err != nil {
			return err
		}
	}
	return nil
}

// tree collects the files of a package. The first error stays.
type tree struct {
	files []archive.File
	err   error
}

func (t *tree) add(name string, mode os.FileMode, data []byte, err error) {
	if t.err == nil {
		t.err = err
	}
	t.files = append(t.files, archive.File{Name: name, Mode: mode, Data: data})
}

// copy adds a file of the source.
func (t *tree) copy(name, source string) {
	data, err := os.ReadFile(source)
	t.add(name, 0o644, data, err)
}

// compress adds a file as Debian wants documents: gzip without a name or time.
func (t *tree) compress(name string, data []byte, err error) {
	var b bytes.Buffer
	z, zerr := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if zerr == nil {
		_, zerr = z.Write(data)
	}
	if zerr == nil {
		zerr = z.Close()
	}
	if err == nil {
		err = zerr
	}
	t.add(name+".gz", 0o644, b.Bytes(), err)
}

func (t *tree) units(folder string) {
	for _, unit := range []string{"traceflow@.service", "traceflow@.timer"} {
		t.copy(folder+unit, "packaging/systemd/"+unit)
	}
}
