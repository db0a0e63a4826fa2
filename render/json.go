// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"

	"traceflow"
)

// JSON writes the result document, indented.
func JSON(w io.Writer, t *traceflow.Trace, _ Options) error {
	return writeJSON(w, t, "  ")
}

// NDJSON writes the result document on one line.
func NDJSON(w io.Writer, t *traceflow.Trace, _ Options) error {
	return writeJSON(w, t, "")
}

// writeJSON writes a value and a line break. Documents are looked at in terminals
// too: what is invisible there, or moves the cursor, is escaped. The encoder
// itself leaves C1 controls and marks of direction as they are.
func writeJSON(w io.Writer, value any, indent string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", indent)
	if err := e.Encode(value); err != nil {
		return err
	}
	_, err := w.Write(escapeInvisible(b.Bytes()))
	return err
}

// escapeInvisible works on whole documents: outside of strings these have no
// characters that it would escape.
func escapeInvisible(document []byte) []byte {
	invisible := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
	if bytes.IndexFunc(document, invisible) < 0 {
		return document
	}
	var b bytes.Buffer
	for _, r := range string(document) {
		if !invisible(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.Bytes()
}
