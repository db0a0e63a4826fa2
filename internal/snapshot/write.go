// SPDX-License-Identifier: BSD-3-Clause

package snapshot

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"traceflow"
)

// Writer writes a file while it is measured. Until Commit the file has another
// name, .NAME.*.tmp in the same folder, and what it is to replace stays as it is;
// what was added is on its way to the disk at once, and can be read by hand should
// the program be killed. Its methods may be called from several goroutines.
type Writer struct {
	path string

	mu      sync.Mutex // guards what follows
	file    *os.File
	encoder *encoder
	err     error // the first that writing gave
}

// Create begins a file with what is known of it.
func Create(path string, m *Manifest) (*Writer, error) {
	w := &Writer{path: path}
	var err error
	if w.file, err = temporary(path); err != nil {
		return nil, err
	}
	// Written again when all is known, so it need not be small.
	if w.encoder, err = newEncoder(w.file, gzip.BestSpeed); err == nil {
		err = w.encoder.manifest(m)
	}
	if err != nil {
		w.Abort()
		return nil, w.wrong(err)
	}
	return w, nil
}

// temporary opens a file beside another, that only its owner can read so far.
func temporary(path string) (*os.File, error) {
	folder, name := filepath.Split(path)
	if folder == "" {
		folder = "."
	}
	f, err := os.CreateTemp(folder, "."+name+".*.tmp")
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("write %s: %w", path, failed.Err) // a name that nobody gave
	}
	return f, err
}

// wrong says which file could not be written.
func (w *Writer) wrong(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		err = failed.Err
	}
	return fmt.Errorf("write %s: %w", w.path, err)
}

// Add adds a pass, counted from 1, of a target, counted from 0. Once that has
// failed it fails always.
func (w *Writer) Add(target, pass int, t *traceflow.Trace) error {
	line, err := recordOf(target, pass, t)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if err := w.encoder.line(line); err != nil {
		w.err = w.wrong(err)
	} else if err := w.encoder.zip.Flush(); err != nil {
		w.err = w.wrong(err)
	}
	return w.err
}

// Commit gives the file its name, with what was added and the manifest as it has
// become. If it fails, the file that had the name is still there.
func (w *Writer) Commit(m *Manifest) error {
	defer w.Abort()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if err := w.encoder.zip.Close(); err != nil {
		return w.wrong(err)
	}
	if _, err := w.file.Seek(0, io.SeekStart); err != nil {
		return w.wrong(err)
	}
	if err := replace(w.path, func(out io.Writer) error { return rewrite(out, w.file, m) }); err != nil {
		return w.wrong(err)
	}
	return nil
}

// Abort forgets what was added. After Commit it does nothing.
func (w *Writer) Abort() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = fs.ErrClosed
	}
	_ = w.file.Close() // nobody reads it
	_ = os.Remove(w.file.Name())
}

// rewrite copies the records of a file without an end, byte by byte, below another
// manifest.
func rewrite(out io.Writer, in io.Reader, m *Manifest) error {
	zip, err := gzip.NewReader(bufio.NewReader(in))
	if err != nil {
		return err
	}
	e, err := newEncoder(out, gzip.DefaultCompression)
	if err != nil {
		return err
	}
	if err := e.manifest(m); err != nil {
		return err
	}
	lines := &lines{in: bufio.NewReaderSize(zip, bufferSize)}
	for first := true; ; first = false {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return e.finish()
		}
		if err != nil {
			return err
		}
		if first {
			continue // the manifest of before
		}
		if err := e.line(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return err
		}
	}
}

// WriteFile writes a file whole or not at all: it appears, or replaces what had
// its name, when it is on the disk.
func WriteFile(path string, write func(io.Writer) error) error {
	if err := replace(path, write); err != nil {
		w := Writer{path: path}
		return w.wrong(err)
	}
	return nil
}

func replace(path string, write func(io.Writer) error) (err error) {
	f, err := temporary(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // what went wrong before it says more
			_ = os.Remove(f.Name())
		}
	}()
	buffered := bufio.NewWriterSize(f, bufferSize)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := permit(f, path); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	syncFolder(filepath.Dir(path))
	return nil
}

// permit gives a file the rights of the one that it replaces, or those of a result:
// anyone may read it, as what the shell would have made of standard output.
func permit(f *os.File, path string) error {
	if runtime.GOOS == "windows" {
		return nil // which has none of this kind
	}
	mode := fs.FileMode(0o644)
	if old, err := os.Stat(path); err == nil {
		mode = old.Mode().Perm()
	}
	return f.Chmod(mode)
}

// syncFolder has a new name on the disk, where the system can do that. The file is
// there already, so what fails is no error.
func syncFolder(folder string) {
	if d, err := os.Open(folder); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
