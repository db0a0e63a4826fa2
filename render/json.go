// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"

	"traceflow"
)

// JSON writes the result document, indented.
func JSON(w io.Writer, t *traceflow.Trace, _ Options) error {
	e := newJSONEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(t)
}

// NDJSON writes the result document on one line.
func NDJSON(w io.Writer, t *traceflow.Trace, _ Options) error {
	return newJSONEncoder(w).Encode(t)
}

// newJSONEncoder writes documents that are safe to look at on a terminal.
func newJSONEncoder(w io.Writer) *json.Encoder { return json.NewEncoder(plainJSON{w}) }

// plainJSON writes JSON with characters that have no look of their own as
// escapes: DEL, C1 controls, marks that turn the direction of writing. They can
// only be within strings. It is given whole documents.
type plainJSON struct{ w io.Writer }

func (p plainJSON) Write(document []byte) (int, error) {
	n, out, from := len(document), []byte(nil), 0
	for i, r := range string(document) {
		if r < 0x7f || unicode.IsPrint(r) {
			continue
		}
		out = append(out, document[from:i]...)
		for _, unit := range utf16.Encode([]rune{r}) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
		from = i + len(string(r))
	}
	if from > 0 {
		document = append(out, document[from:]...)
	}
	if _, err := p.w.Write(document); err != nil {
		return 0, err
	}
	return n, nil
}
