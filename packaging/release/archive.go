// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"io"

	"traceflow/internal/cli"
	"traceflow/packaging/archive"
	"traceflow/packaging/sbom"
)

// archive packs a binary for those who unpack it themselves, and its bill of
// materials beside it.
func (r *release) archive(b *binary) error {
	top := fmt.Sprintf("traceflow_%s_%s_%s", cli.Version, b.os, b.arch)
	var t tree
	name := "traceflow"
	if b.os == "windows" {
		name += ".exe"
	}
	t.add(top+"/"+name, 0o755, b.data, nil)
	for _, file := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		t.copy(top+"/"+file, file)
	}
	t.add(top+"/THIRD-PARTY.txt", 0o644, sbom.Notices(b.modules), nil)
	page, err := r.manual()
	t.add(top+"/traceflow.1", 0o644, page, err)
	for _, s := range shells {
		script, err := completion(s.name)
		t.add(top+"/completions/"+s.file, 0o644, script, err)
	}
	if b.os == "linux" {
		t.units(top + "/systemd/")
	}
	if t.err != nil {
		return t.err
	}
	var ending string
	write := func(w io.Writer) error { return archive.TarGzip(w, t.files, "", r.time) }
	if ending = ".tar.gz"; b.os == "windows" {
		ending, write = ".zip", func(w io.Writer) error { return archive.Zip(w, t.files, r.time) }
	}
	if err := r.write(top+ending, write); err != nil {
		return err
	}
	bill, err := sbom.Bill(&sbom.Subject{
		Name: "traceflow", Version: cli.Version, Licence: "BSD-3-Clause", Commit: r.commit,
		OS: b.os, Arch: b.arch, Binary: b.data, Time: r.time,
	}, b.modules)
	if err != nil {
		return err
	}
	return r.write(top+".cdx.json", func(w io.Writer) error { _, err := w.Write(bill); return err })
}
