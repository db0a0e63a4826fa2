package enrich

import "strings"

const maxOrigins, maxText = 16, 256

func clean(s string) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, "x"))
	return s[:min(len(s), 20)]
}
