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
	title, data, err := new(Pages).Next(t, false)
	if err != nil {
		return err
	}
	return page.Write(w, title, data)
}

// Pages makes what one page shows, again and again while a trace goes on. The
// zero value is ready.
type Pages struct{ last *pageData }

// Next returns the title of the page and, as JSON, what it shows of a trace.
// What stood in the picture before stands where it was. measuring says that more
// is to come.
func (p *Pages) Next(t *traceflow.Trace, measuring bool) (title string, data []byte, err error) {
	shown := newPage(t, p.last)
	if shown.Heading.Measuring = measuring; measuring { // which is too early to conclude anything
		shown.Heading.Statement, shown.Heading.Ending = []string{}, ""
	}
	p.last = shown
	data, err = json.Marshal(shown)
	return shown.Title + " · traceflow", data, err
}
