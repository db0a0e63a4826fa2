// SPDX-License-Identifier: BSD-3-Clause

// Package deb writes a Debian binary package (deb(5)), without dpkg, so that
// the same files make the same package anywhere.
//
// It knows nothing of what is in the package, and compresses with gzip, which
// every dpkg reads.
package deb

import (
	"bytes"
	"crypto/md5" // the format's: dpkg --verify finds damage with it, not malice
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"traceflow/packaging/archive"
)

// Package is what a Debian package is made of.
type Package struct {
	// Control are the fields of deb-control(5), without Installed-Size.
	Control []Field
	Files   []archive.File
	// Scripts are the maintainer scripts by name: postinst and so on.
	Scripts map[string][]byte
	Time    time.Time
}

// Field is a field of the control file. Lines of a value after the first are
// written as they have to be.
type Field struct{ Name, Value string }

// control returns the control file. deb-control(5): Installed-Size is in
// kibibytes, each file and folder rounded up.
func (p *Package) control() []byte {
	var b bytes.Buffer
	size := 0
	for _, f := range p.Files {
		size += (len(f.Data) + 1023) / 1024
	}
	for _, f := range append(slices.Clip(p.Control), Field{"Installed-Size", fmt.Sprint(size)}) {
		lines := strings.Split(strings.TrimSpace(f.Value), "\n")
		fmt.Fprintf(&b, "%s: %s\n", f.Name, lines[0])
		for _, line := range lines[1:] {
			if strings.TrimSpace(line) == "" {
				line = "."
			}
			fmt.Fprintf(&b, " %s\n", line)
		}
	}
	return b.Bytes()
}

// sums returns md5sums(5).
func (p *Package) sums() []byte {
	var b bytes.Buffer
	for _, f := range p.Files {
		if !f.Mode.IsDir() {
			fmt.Fprintf(&b, "%x  %s\n", md5.Sum(f.Data), f.Name)
		}
	}
	return b.Bytes()
}

// Write writes the package: an ar archive of three members.
func (p *Package) Write(w io.Writer) error {
	control := []archive.File{
		{Name: "control", Mode: 0o644, Data: p.control()},
		{Name: "md5sums", Mode: 0o644, Data: p.sums()},
	}
	for name, script := range p.Scripts {
		control = append(control, archive.File{Name: name, Mode: 0o755, Data: script})
	}
	var meta, data bytes.Buffer
	if err := archive.TarGzip(&meta, control, "./", p.Time); err != nil {
		return err
	}
	if err := archive.TarGzip(&data, p.Files, "./", p.Time); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "!<arch>\n"); err != nil {
		return err
	}
	for _, member := range []struct {
		name string
		data []byte
	}{
		{"debian-binary", []byte("2.0\n")},
		{"control.tar.gz", meta.Bytes()},
		{"data.tar.gz", data.Bytes()},
	} {
		// ar(5): name, time, owner, group, mode and size, padded with blanks.
		if _, err := fmt.Fprintf(w, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", member.name, p.Time.Unix(), 0, 0, 0o100644, len(member.data)); err != nil {
			return err
		}
		if len(member.data)%2 == 1 {
			member.data = append(member.data, '\n')
		}
		if _, err := w.Write(member.data); err != nil {
			return err
		}
	}
	return nil
}
