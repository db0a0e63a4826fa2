// SPDX-License-Identifier: BSD-3-Clause

// Package archive writes the same files to the same bytes, whoever packs them
// and when: sorted, owned by root, all of one time.
//
// It compresses with Go's own library, so the bytes may change with the
// version of Go, as the binaries do. It reads nothing from disk.
package archive

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// File is a file to be packed.
type File struct {
	Name string      // below the top of the archive, with slashes
	Mode fs.FileMode // permissions; a folder where it has fs.ModeDir
	Data []byte
	// Attributes are extended attributes by name. Only tar has them.
	Attributes map[string]string
}

// whole returns the files sorted, each after the folders that it is in.
func whole(files []File) ([]File, error) {
	all := make(map[string]File)
	for _, f := range files {
		if !fs.ValidPath(f.Name) || f.Name == "." {
			return nil, fmt.Errorf("%q is no name of a file in an archive", f.Name)
		}
		if _, twice := all[f.Name]; twice {
			return nil, fmt.Errorf("%s is there twice", f.Name)
		}
		all[f.Name] = f
	}
	for _, f := range files {
		for folder := path.Dir(f.Name); folder != "."; folder = path.Dir(folder) {
			if _, ok := all[folder]; !ok {
				all[folder] = File{Name: folder, Mode: fs.ModeDir | 0o755}
			}
		}
	}
	sorted := slices.Collect(maps.Values(all))
	slices.SortFunc(sorted, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return sorted, nil
}

// Tar writes a tar archive. Names have the prefix, "./" for a Debian package
// and nothing elsewhere.
func Tar(w io.Writer, files []File, prefix string, at time.Time) error {
	files, err := whole(files)
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	if prefix != "" {
		if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: prefix, Mode: 0o755, Uname: "root", Gname: "root", ModTime: at, Format: tar.FormatUSTAR}); err != nil {
			return err
		}
	}
	for _, f := range files {
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: prefix + f.Name, Mode: int64(f.Mode.Perm()), Size: int64(len(f.Data)),
			Uname: "root", Gname: "root", ModTime: at, Format: tar.FormatUSTAR,
		}
		if f.Mode.IsDir() {
			h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		}
		for name, value := range f.Attributes {
			h.Format = tar.FormatPAX
			if h.PAXRecords == nil {
				h.PAXRecords = make(map[string]string)
			}
			h.PAXRecords["SCHILY.xattr."+name] = value // as GNU tar and Docker write them
		}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(f.Data); err != nil {
			return err
		}
	}
	return t.Close()
}

// TarGzip writes a compressed tar archive.
func TarGzip(w io.Writer, files []File, prefix string, at time.Time) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := Tar(z, files, prefix, at); err != nil {
		return err
	}
	return z.Close()
}

// Zip writes a zip archive. Its times are in UTC and even seconds.
func Zip(w io.Writer, files []File, at time.Time) error {
	files, err := whole(files)
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, f := range files {
		if f.Mode.IsDir() {
			continue
		}
		h := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: at.UTC()}
		h.SetMode(f.Mode)
		member, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := member.Write(f.Data); err != nil {
			return err
		}
	}
	return z.Close()
}
