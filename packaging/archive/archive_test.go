// SPDX-License-Identifier: BSD-3-Clause

package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var at = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)

func files() []File {
	return []File{
		{Name: "b/program", Mode: 0o755, Data: []byte("#!"), Attributes: map[string]string{"user.b": "\x00\x01", "user.a": "x"}},
		{Name: "a", Mode: 0o644, Data: []byte("text")},
		{Name: "b/c/empty", Mode: fs.ModeDir | 0o700},
	}
}

func TestTar(t *testing.T) {
	tests := []struct {
		name, prefix string
		want         []tar.Header
	}{
		{"plain", "", []tar.Header{
			{Typeflag: tar.TypeReg, Name: "a", Mode: 0o644, Size: 4},
			{Typeflag: tar.TypeDir, Name: "b/", Mode: 0o755},
			{Typeflag: tar.TypeDir, Name: "b/c/", Mode: 0o755},
			{Typeflag: tar.TypeDir, Name: "b/c/empty/", Mode: 0o700},
			{Typeflag: tar.TypeReg, Name: "b/program", Mode: 0o755, Size: 2},
		}},
		{"as in a Debian package", "./", []tar.Header{
			{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755},
			{Typeflag: tar.TypeReg, Name: "./a", Mode: 0o644, Size: 4},
			{Typeflag: tar.TypeDir, Name: "./b/", Mode: 0o755},
			{Typeflag: tar.TypeDir, Name: "./b/c/", Mode: 0o755},
			{Typeflag: tar.TypeDir, Name: "./b/c/empty/", Mode: 0o700},
			{Typeflag: tar.TypeReg, Name: "./b/program", Mode: 0o755, Size: 2},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Tar(&b, files(), tt.prefix, at); err != nil {
				t.Fatal(err)
			}
			var got []tar.Header
			for r := tar.NewReader(&b); ; {
				h, err := r.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if h.Uid != 0 || h.Gid != 0 || h.Uname != "root" || h.Gname != "root" || !h.ModTime.Equal(at) {
					t.Errorf("%s is of %d:%d (%q:%q) and %v", h.Name, h.Uid, h.Gid, h.Uname, h.Gname, h.ModTime)
				}
				if has := h.PAXRecords["SCHILY.xattr.user.b"] == "\x00\x01"; has != (h.Size == 2) {
					t.Errorf("%s has the records %q", h.Name, h.PAXRecords)
				}
				got = append(got, tar.Header{Typeflag: h.Typeflag, Name: h.Name, Mode: h.Mode, Size: h.Size})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestRepeats packs the same files in another order.
func TestRepeats(t *testing.T) {
	formats := map[string]func(io.Writer, []File) error{
		"tar":    func(w io.Writer, f []File) error { return Tar(w, f, "", at) },
		"tar.gz": func(w io.Writer, f []File) error { return TarGzip(w, f, "", at) },
		"zip":    func(w io.Writer, f []File) error { return Zip(w, f, at) },
	}
	for name, pack := range formats {
		t.Run(name, func(t *testing.T) {
			var first, second bytes.Buffer
			other := files()
			slices.Reverse(other)
			if err := errors.Join(pack(&first, files()), pack(&second, other)); err != nil {
				t.Fatal(err)
			}
			if first.Len() == 0 || !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Errorf("%d and %d bytes differ", first.Len(), second.Len())
			}
		})
	}
}

func TestZip(t *testing.T) {
	var b bytes.Buffer
	if err := Zip(&b, files(), at); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.File {
		got = append(got, f.Name+" "+f.Mode().String())
		if !f.Modified.Equal(at) {
			t.Errorf("%s is of %v", f.Name, f.Modified)
		}
	}
	if diff := cmp.Diff([]string{"a -rw-r--r--", "b/program -rwxr-xr-x"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestNamesAreRefused(t *testing.T) {
	for _, name := range []string{"", ".", "/a", "../a", "a/../b", "a/"} {
		if Tar(io.Discard, []File{{Name: name}}, "", at) == nil || Zip(io.Discard, []File{{Name: name}}, at) == nil {
			t.Errorf("%q is packed", name)
		}
	}
	if Tar(io.Discard, []File{{Name: "a"}, {Name: "a"}}, "", at) == nil {
		t.Error("a name is packed twice")
	}
}
