// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"os"
	"time"

	"traceflow/internal/cli"
	"traceflow/packaging/deb"
	"traceflow/packaging/sbom"
)

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
