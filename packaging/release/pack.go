// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"traceflow/internal/cli"
	"traceflow/packaging/archive"
	"traceflow/packaging/deb"
	"traceflow/packaging/image"
	"traceflow/packaging/sbom"
)

const title = "finds every path that packets take to a destination"

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

func (t *tree) units(folder string) {
	for _, unit := range []string{"traceflow@.service", "traceflow@.timer"} {
		t.copy(folder+unit, "packaging/systemd/"+unit)
	}
}

// image packs a binary as a container image.
func (r *release) image(b *binary) error {
	var t tree
	t.add("usr/bin/traceflow", 0o755, b.data, nil)
	t.files[0].Attributes = map[string]string{image.CapabilityAttribute: image.NetRaw()}
	t.add("etc/passwd", 0o644, []byte("nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"), nil)
	t.add("etc/group", 0o644, []byte("nogroup:x:65534:\n"), nil)
	t.copy("usr/share/doc/traceflow/LICENSE", "LICENSE")
	t.add("usr/share/doc/traceflow/THIRD-PARTY.txt", 0o644, sbom.Notices(b.modules), nil)
	if t.err != nil {
		return t.err
	}
	i := &image.Image{
		Name: "traceflow", Version: cli.Version, Title: title, Architecture: b.arch, Revision: r.commit,
		Created: r.time, Entrypoint: []string{"/usr/bin/traceflow"}, Files: t.files,
	}
	return r.write(fmt.Sprintf("traceflow_%s_linux_%s.image.tar", cli.Version, b.arch), i.Write)
}

// deb packs a binary for Debian and what is made of it.
func (r *release) deb(b *binary) error {
	const maintainer = "The traceflow authors <traceflow@packages.invalid>"
	version := cli.Version + "-1"
	var t tree
	t.add("usr/bin/traceflow", 0o755, b.data, nil)
	page, err := r.manual()
	t.compress("usr/share/man/man1/traceflow.1", page, err)
	for _, s := range shells {
		if s.debian != "" {
			script, err := completion(s.name)
			t.add(s.debian, 0o644, script, err)
		}
	}
	t.units("usr/lib/systemd/system/")
	t.copy("usr/share/lintian/overrides/traceflow", "packaging/debian/lintian-overrides")
	const documents = "usr/share/doc/traceflow/"
	t.copy(documents+"copyright", "LICENSE")
	t.compress(documents+"THIRD-PARTY.txt", sbom.Notices(b.modules), nil)
	changes, err := os.ReadFile("CHANGELOG.md")
	t.compress(documents+"changelog", changes, err)
	t.compress(documents+"changelog.Debian", fmt.Appendf(nil, "traceflow (%s) unstable; urgency=medium\n\n  * Built from commit %s.\n\n -- %s  %s\n",
		version, r.commit, maintainer, r.time.Format(time.RFC1123Z)), nil)
	postinst, err := os.ReadFile("packaging/debian/postinst")
	if t.err == nil {
		t.err = err
	}
	if t.err != nil {
		return t.err
	}
	p := &deb.Package{
		Control: []deb.Field{
			{Name: "Package", Value: "traceflow"},
			{Name: "Version", Value: version},
			{Name: "Architecture", Value: b.arch}, // amd64 and arm64 are called the same
			{Name: "Maintainer", Value: maintainer},
			{Name: "Section", Value: "net"},
			{Name: "Priority", Value: "optional"},
			{Name: "Recommends", Value: "libcap2-bin"},
			{Name: "Description", Value: title + `
traceflow follows as many flows to a destination as it takes to have seen
every path that balancers on the way choose from, and says how sure it is that
there are no others.

It needs no privileges. With the file capability that this package gives it,
where it can, it sees more of what routers quote.`},
		},
		Files: t.files, Scripts: map[string][]byte{"postinst": postinst}, Time: r.time,
	}
	return r.write(fmt.Sprintf("traceflow_%s_%s.deb", version, b.arch), p.Write)
}
