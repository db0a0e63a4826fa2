// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"encoding/json"
	"errors"
	"io"

	"traceflow"
	"traceflow/internal/page"
)

// HTML writes a page for browsers: one file with everything in it, that needs no
// network. It holds one result.
func HTML(w io.Writer, t *traceflow.Trace, o Options) error {
	if o.Continued {
		return errors.New("a page holds one result: write each to a file of its own")
	}
	p := newPage(t)
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return page.Write(w, p.Title+" · traceflow", data)
}
