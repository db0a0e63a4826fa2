// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"traceflow"
)

// A result may be as large as this, which a default trace is far from. What
// somebody else made up takes no more than 2 GB of memory.
const (
	largestResult = 256 << 20 // bytes
	mostObjects   = 2 << 20   // objects and nulls
	mostValues    = 16 << 20  // in lists and objects
)

// results reads stored results one by one, each whole before the next.
type results struct {
	name    string // of the file
	file    io.Closer
	in      *bounded
	decoder *json.Decoder
	n       int // read so far
}

func newResults(name string, in io.ReadCloser) *results {
	b := &bounded{in: in}
	return &results{name: name, file: in, in: b, decoder: json.NewDecoder(b)}
}

func (r *results) close() { _ = r.file.Close() } // it was only read

// next returns the next result, and io.EOF after the last.
func (r *results) next() (*traceflow.Trace, error) {
	r.in.left = largestResult
	var raw json.RawMessage
	if err := r.decoder.Decode(&raw); err != nil {
		if errors.Is(err, io.EOF) && r.n > 0 {
			return nil, io.EOF
		}
		return nil, r.wrong(r.unreadable(err))
	}
	r.n++
	t, err := readResult(raw)
	if err != nil {
		return nil, r.wrong(err)
	}
	return t, nil
}

// more reports whether anything follows.
func (r *results) more() bool {
	r.in.left = largestResult
	return r.decoder.More()
}

// wrong says where an error is: in which file, and in which of its results if
// it is not the first.
func (r *results) wrong(err error) error {
	if r.n > 1 {
		return fmt.Errorf("%s: result %d: %w", r.name, r.n, err)
	}
	return fmt.Errorf("%s: %w", r.name, err)
}

// unreadable says why something is no JSON.
func (r *results) unreadable(err error) error {
	at := r.decoder.InputOffset()
	if r.n > 0 {
		r.n++
	}
	switch syntax, isSyntax := errors.AsType[*json.SyntaxError](err); {
	case errors.Is(err, io.EOF):
		return errors.New("it is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the JSON ends too early: the file is cut off after %d bytes", r.in.read)
	case errors.Is(err, errTooLarge):
		return fmt.Errorf("a result of more than %d MiB is too large to be read", largestResult>>20)
	case isSyntax:
		if known := foreignText(r.in.begin); known != "" {
			return notOurs(known)
		}
		return fmt.Errorf("no JSON after byte %d: %w", at, syntax)
	}
	return err
}

// readResult makes a trace of a document.
func readResult(raw json.RawMessage) (*traceflow.Trace, error) {
	if bytes.Count(raw, []byte("{"))+bytes.Count(raw, []byte("null")) > mostObjects || bytes.Count(raw, []byte(",")) > mostValues {
		return nil, errors.New("a result with so many values is too large to be read")
	}
	if known := foreign(raw); known != "" {
		return nil, notOurs(known)
	}
	var head struct {
		Schema *string `json:"schema"`
	}
	if err := json.Unmarshal(raw, &head); err != nil || head.Schema == nil {
		return nil, errors.New(`no result of traceflow: it has no "schema"; traceflow show reads what traceflow -j writes`)
	}
	switch schema := *head.Schema; {
	case schema == traceflow.Schema:
	case strings.HasPrefix(schema, "traceflow.trace/"):
		return nil, fmt.Errorf("schema %q: a newer traceflow wrote this; this one reads %s, so update it", schema, traceflow.Schema)
	default:
		return nil, fmt.Errorf("schema %q is not %q: no result of a trace", schema, traceflow.Schema)
	}
	t := &traceflow.Trace{}
	err := json.Unmarshal(raw, t)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil, fmt.Errorf("%s is a JSON %s, which does not fit", cmp.Or(wrong.Field, "the document"), wrong.Value)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

func notOurs(known string) error {
	return fmt.Errorf("this is the output of %s; traceflow show reads what traceflow -j writes", known)
}

var errTooLarge = errors.New("too large")

// bounded is a reader that gives no more than what is left of it.
type bounded struct {
	in    io.Reader
	left  int
	read  int64
	begin []byte // the first bytes
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.in.Read(p[:min(len(p), b.left)])
	b.left -= n
	b.read += int64(n)
	if room := 64 - len(b.begin); room > 0 {
		b.begin = append(b.begin, p[:min(n, room)]...)
	}
	return n, err
}
