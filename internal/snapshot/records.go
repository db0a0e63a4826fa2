// SPDX-License-Identifier: BSD-3-Clause

package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// readRecords hands on every record after the manifest, and checks that they are
// as they were written.
func (d *decoder) readRecords(lines *lines) error {
	sum := sha256.New()
	sum.Write(lines.first)
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w after record %d", ErrCutOff, lines.n)
		}
		if err != nil {
			return err
		}
		if last, ok := endOf(line); ok {
			switch {
			case last.Records != lines.n-1:
				return fmt.Errorf("%w: it has %d records, and had %d", ErrAltered, lines.n-1, last.Records)
			case last.SHA256 != hex.EncodeToString(sum.Sum(nil)):
				return fmt.Errorf("%w: the checksum differs", ErrAltered)
			}
			return d.nothingMore(lines)
		}
		if lines.n-1 > mostTargets*mostPasses {
			return fmt.Errorf("there are more than %d records", mostTargets*mostPasses)
		}
		sum.Write(line)
		if !d.failed() {
			d.work <- job{line, lines.n}
		}
	}
}

// nothingMore reads the end of the file, and with it the checksum of the
// compression.
func (d *decoder) nothingMore(lines *lines) error {
	switch _, err := lines.next(); {
	case err == nil:
		return fmt.Errorf("%w: something follows its end", ErrAltered)
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

// endOf reads the last record, if it is that.
func endOf(line []byte) (end, bool) {
	if !bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte(`{"end"`)) {
		return end{}, false
	}
	var form struct {
		End *end `json:"end"`
	}
	if err := json.Unmarshal(line, &form); err != nil || form.End == nil {
		return end{}, false
	}
	return *form.End, true
}
