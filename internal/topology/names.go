// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"fmt"
	"strconv"
	"strings"
)

// maxName keeps names short enough for namespaces, labels and drawings.
const maxName = 32

// expand returns the node names that a word stands for: itself, or for
// "w[1..64]" the names w1 to w64.
func expand(word string) ([]string, error) {
	prefix, span, ranged := strings.Cut(word, "[")
	if !ranged {
		return []string{word}, checkName(word)
	}
	span, closed := strings.CutSuffix(span, "]")
	first, last, dotted := strings.Cut(span, "..")
	if !closed || !dotted {
		return nil, fmt.Errorf("%q is no range of nodes; write for example: w[1..64]", word)
	}
	if err := checkName(prefix); err != nil {
		return nil, err
	}
	low, err := whole(first, 0, 1<<20)
	if err != nil {
		return nil, fmt.Errorf("first of %q: %w; write for example: w[1..64]", word, err)
	}
	high, err := whole(last, low, low+MaxNodes-1)
	if err != nil {
		return nil, fmt.Errorf("last of %q: %w; write for example: w[1..64]", word, err)
	}
	names := make([]string, 0, high-low+1)
	for n := low; n <= high; n++ {
		names = append(names, prefix+strconv.Itoa(n))
	}
	return names, nil
}

// checkName refuses what is no node name.
func checkName(name string) error {
	good := name != "" && len(name) <= maxName
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		good = good && (letter || i > 0 && ('0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'))
	}
	if !good {
		return fmt.Errorf("%q is no node name; write a letter, then letters, digits, - _ . (at most %d)", name, maxName)
	}
	return nil
}
