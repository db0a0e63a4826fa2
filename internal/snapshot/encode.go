// SPDX-License-Identifier: BSD-3-Clause

package snapshot

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"

	"traceflow"
)

// end is what the last record has.
type end struct {
	Records int    `json:"records"` // before it, the manifest among them
	SHA256  string `json:"sha256"`  // of all bytes before it, as they are uncompressed
}

// encoder writes records, one a line, compressed.
type encoder struct {
	zip     *gzip.Writer
	sum     hash.Hash
	records int
}

func newEncoder(out io.Writer, level int) (*encoder, error) {
	zip, err := gzip.NewWriterLevel(out, level)
	return &encoder{zip: zip, sum: sha256.New()}, err
}

// line writes a record, which holds no line break.
func (e *encoder) line(record []byte) error {
	e.records++
	for _, part := range [][]byte{record, {'\n'}} {
		e.sum.Write(part)
		if _, err := e.zip.Write(part); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) manifest(m *Manifest) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return e.line(line)
}

// finish writes the last record.
func (e *encoder) finish() error {
	last, err := json.Marshal(map[string]end{"end": {Records: e.records, SHA256: hex.EncodeToString(e.sum.Sum(nil))}})
	if err != nil {
		return err
	}
	if _, err := e.zip.Write(append(last, '\n')); err != nil {
		return err
	}
	return e.zip.Close()
}

// recordOf is the line of one pass of a target. Of the form that it has, decode.go
// reads the beginning without a parser.
func recordOf(target, pass int, t *traceflow.Trace) ([]byte, error) {
	trace, err := t.MarshalJSON()
	if err != nil {
		return nil, err
	}
	line := fmt.Appendf(make([]byte, 0, len(trace)+64), `{"target":%d,"pass":%d,"trace":`, target, pass)
	return append(append(line, trace...), '}'), nil
}

// Encode writes a whole snapshot.
func (s *Snapshot) Encode(out io.Writer) error {
	e, err := newEncoder(out, gzip.DefaultCompression)
	if err != nil {
		return err
	}
	if err := e.manifest(&s.Manifest); err != nil {
		return err
	}
	for i := range s.Targets {
		for pass, t := range s.Targets[i].Passes {
			line, err := recordOf(i, pass+1, t)
			if err != nil {
				return err
			}
			if err := e.line(line); err != nil {
				return err
			}
		}
	}
	return e.finish()
}
