// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"io"

	"traceflow/internal/cli"
	"traceflow/packaging/archive"
	"traceflow/packaging/image"
	"traceflow/packaging/sbom"
)

// container returns the root file system of a container.
func container(b *binary) ([]archive.File, error) {
	var t tree
	t.add("usr/bin/traceflow", 0o755, b.data, nil)
	t.files[0].Attributes = map[string]string{image.CapabilityAttribute: image.NetRaw()}
	t.add("etc/passwd", 0o644, []byte("nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"), nil)
	t.add("etc/group", 0o644, []byte("nogroup:x:65534:\n"), nil)
	t.copy("usr/share/doc/traceflow/LICENSE", "LICENSE")
	t.add("usr/share/doc/traceflow/THIRD-PARTY.txt", 0o644, sbom.Notices(b.modules), nil)
	return t.files, t.err
}

// image packs a binary as a container image.
func (r *release) image(b *binary) error {
	files, err := container(b)
	if err != nil {
		return err
	}
	i := &image.Image{
		Name: "traceflow", Version: cli.Version, Title: title, Architecture: b.arch, Revision: r.commit,
		Created: r.time, Entrypoint: []string{"/usr/bin/traceflow"}, Files: files,
	}
	return r.write(fmt.Sprintf("traceflow_%s_linux_%s.image.tar", cli.Version, b.arch), i.Write)
}

// rootfs packs what packaging/Dockerfile makes an image of.
func (r *release) rootfs(b *binary) error {
	files, err := container(b)
	if err != nil {
		return err
	}
	return r.write(fmt.Sprintf("traceflow_%s_linux_%s.rootfs.tar.gz", cli.Version, b.arch),
		func(w io.Writer) error { return archive.TarGzip(w, files, "", r.time) })
}
