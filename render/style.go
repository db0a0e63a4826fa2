// SPDX-License-Identifier: BSD-3-Clause

package render

// style is how a piece of text looks on a terminal (ECMA-48, section 8.3.117).
// It uses the terminal's own 16 colours and never sets a background, so it goes
// with light and dark ones, and it says nothing that the text does not say too.
type style string

// The styles.
const (
	plain  style = ""
	dim    style = "2"
	bold   style = "1"
	red    style = "31"
	yellow style = "33"
)

// paint writes text in a style if the options ask for colours.
func (o Options) paint(s style, text string) string {
	if !o.Color || s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}
