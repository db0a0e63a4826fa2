// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"encoding/json"
	"errors"
	"io"
)

// maxValue is how much of a file a row of CSV or a value of JSON may take, in
// bytes: both are read into memory whole.
const maxValue = 1 << 20

var errLongValue = errors.New("a row or value is longer than any can be")

// valueReader refuses a value that is too long. Its user says when the next
// begins.
type valueReader struct {
	r    io.Reader
	left int
}

// begin allows for one value more.
func (v *valueReader) begin() { v.left = maxValue }

// Read implements io.Reader.
func (v *valueReader) Read(b []byte) (int, error) {
	if v.left <= 0 {
		return 0, errLongValue
	}
	n, err := v.r.Read(b[:min(len(b), v.left)])
	v.left -= n
	return n, err
}

// jsonReader reads JSON token by token, each of bounded size.
type jsonReader struct {
	*json.Decoder
	values *valueReader
}

func newJSONReader(r io.Reader) *jsonReader {
	values := &valueReader{r: r}
	values.begin()
	return &jsonReader{json.NewDecoder(values), values}
}

// Token returns the next token, as that of json.Decoder does.
func (j *jsonReader) Token() (json.Token, error) {
	j.values.begin()
	return j.Decoder.Token()
}

// Decode reads the next value, as that of json.Decoder does.
func (j *jsonReader) Decode(v any) error {
	j.values.begin()
	return j.Decoder.Decode(v)
}
