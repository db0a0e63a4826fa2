// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxInput bounds what one file holds, decompressed.
const maxInput = int64(8) << 30

// input is a file that was given, decompressed.
type input struct {
	name     string
	modified time.Time
	*bufio.Reader
	raw  io.Reader // what is hashed
	hash hash.Hash
	file *os.File
}

// headSize is how much of a file is looked at to know what it is.
const headSize = 4096

// openInput opens a file, which is hashed by h as it is read.
func openInput(path string, h hash.Hash) (*input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	in, err := newInput(f, h)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", filepath.Base(path), err), f.Close())
	}
	return in, nil
}

func newInput(f *os.File, h hash.Hash) (*input, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("a directory; give the file in it")
	}
	in := &input{name: filepath.Base(f.Name()), modified: info.ModTime().UTC().Truncate(time.Second), file: f, hash: h}
	in.raw = io.TeeReader(f, h)
	plain := bufio.NewReaderSize(in.raw, 64<<10)
	head, err := plain.Peek(2)
	if len(head) == 0 {
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, errors.New("the file is empty")
	}
	in.raw, in.Reader = plain, plain
	if bytes.HasPrefix(head, []byte("\x1f\x8b")) {
		unzipped, err := gzip.NewReader(plain)
		if err != nil {
			return nil, gzipError(err)
		}
		in.Reader = bufio.NewReaderSize(&limited{unzipped, maxInput}, 64<<10)
	} else {
		in.Reader = bufio.NewReaderSize(&limited{plain, maxInput}, 64<<10)
	}
	return in, nil
}

// limited refuses what is larger than anything that there is.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	if l.left -= int64(n); l.left < 0 {
		return n, errors.New("larger than any such data set")
	}
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = gzipError(err)
	}
	return n, err
}

// gzipError says what is wrong with a compressed file.
func gzipError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return errors.New("the gzip file ends in the middle: it was cut short")
	case errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader):
		return errors.New("the gzip file is damaged")
	}
	return err
}

// finish reads what the reader of a table left, so that all is hashed.
func (in *input) finish() error {
	if _, err := io.Copy(io.Discard, in.Reader); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, in.raw)
	return err
}

// Close closes the file.
func (in *input) Close() error { return in.file.Close() }

// digest is what a hash comes to.
func digest(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

func newHash() hash.Hash { return sha256.New() }

// packed are forms that files come in and that are to be unpacked first, by how
// they begin.
var packed = map[string]string{
	"PK\x03\x04":         "a zip archive",
	"BZh":                "compressed by bzip2",
	"\xfd7zXZ\x00":       "compressed by xz",
	"\x28\xb5\x2f\xfd":   "compressed by zstd",
	"7z\xbc\xaf\x27\x1c": "a 7z archive",
	"PAR1":               "a Parquet file: get the MMDB file or the table as text",
}

// detect says what kind of data set begins like this.
func (in *input) detect() (Kind, error) {
	head, err := in.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return "", err
	}
	for prefix, what := range packed {
		if bytes.HasPrefix(head, []byte(prefix)) {
			return "", fmt.Errorf("%s; unpack it first", what)
		}
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\uFEFF")))
	switch {
	case len(text) == 0:
		return "", errors.New("the file is empty")
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return "", errors.New("a tar archive; unpack it first, and add the file in it")
	case text[0] == '<':
		return "", errors.New("a web page or XML, not a data set: perhaps what a server said instead of the file")
	case looksLikeJSON(text):
		return KindPeeringDB, nil
	case bytes.IndexByte(head, 0) >= 0:
		return KindMMDB, nil
	}
	return detectText(string(text))
}

// detectText goes by the first line that is no comment.
func detectText(text string) (Kind, error) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || line[0] == '%' || line[0] == '#' {
			continue
		}
		fields := strings.Fields(line)
		_, errFirst := parseAddress(fields[0])
		hasPrefix := len(fields) > 1 && strings.Contains(fields[1], "/")
		switch {
		case errFirst == nil && strings.Count(line, "\t") == 4:
			return KindIPToASN, nil
		case errFirst == nil && len(fields) == 3:
			return KindPfx2as, nil
		case hasPrefix && strings.Count(line, "\t") == 2:
			return KindRISWhois, nil
		case isPrefixHeader(line):
			return KindPrefixes, nil
		}
		return "", fmt.Errorf("of no kind that is known here: it begins with %s", quote(line))
	}
	return "", errors.New("there are only comments in the beginning: say its --kind")
}

// isPrefixHeader reports whether a line names columns of the user's own table. One
// wrong name is the reader's to tell.
func isPrefixHeader(line string) bool {
	for column := range strings.SplitSeq(line, ",") {
		if strings.EqualFold(strings.Trim(column, " \""), columnPrefix) {
			return true
		}
	}
	return false
}
