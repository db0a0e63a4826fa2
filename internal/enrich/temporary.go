// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// temporary is a file in the folder that has no name of its own yet.
type temporary struct {
	folder, path string
	bytes        int64
	sha256       string
}

const temporaryPattern = ".new-*.tmp"

// writeTemporary writes a file and waits until it is on the disk. If anything goes
// wrong, nothing is left.
func writeTemporary(folder string, content io.Reader) (_ *temporary, err error) {
	f, err := os.CreateTemp(folder, temporaryPattern)
	if err != nil {
		return nil, err
	}
	t := &temporary{folder: folder, path: f.Name()}
	defer func() {
		if err != nil {
			_ = f.Close() // what went wrong before it says more
			t.remove()
			if path, ok := errors.AsType[*fs.PathError](err); ok && path.Path == t.path {
				err = path.Err // a name that nobody gave
			}
			err = fmt.Errorf("write to %s: %w", folder, err)
		}
	}()
	h := newHash()
	if t.bytes, err = io.Copy(io.MultiWriter(f, h), content); err != nil {
		return nil, err
	}
	t.sha256 = digest(h)
	// What the folder lets others read, they may read.
	if err := f.Chmod(0o644); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	return t, f.Close()
}

// remove removes the file, if it is still there.
func (t *temporary) remove() { _ = os.Remove(t.path) }

// rename gives the file its name, in the place of one that has it.
func (t *temporary) rename(name string) error {
	if err := os.Rename(t.path, filepath.Join(t.folder, name)); err != nil {
		t.remove()
		return err
	}
	syncFolder(t.folder)
	return nil
}

// syncFolder makes names last, where the system can.
func syncFolder(folder string) {
	if f, err := os.Open(folder); err == nil {
		_ = f.Sync() // not every system can
		_ = f.Close()
	}
}
