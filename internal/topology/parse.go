// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

// The largest network that a file may describe.
const (
	MaxNodes = 4096
	MaxLinks = 65536
)

// The sections of the archive that Parse knows: it reads the first, and keeps the
// second.
const (
	section         = "topology"
	prefixesSection = "prefixes"
)

// parser is the state of one Parse. The slices named line… run beside Nodes
// and Edges and say where each came from.
type parser struct {
	name string
	t    *Topology

	defaultNode Node
	defaultEdge Edge
	defaultSeed bool // the default line gave a hash seed

	index     map[string]int // node name → index
	lineNode  []int          // first mention
	lineDecl  []int          // "node" line, 0 if none
	lineEdge  []int
	seedGiven []bool // the file gave this node's hash seed
	edges     map[[2]int]int
	uses      []use
	once      map[string]int // "seed", "family" → their line
}

// use is one key that a node line gave, kept until all roles are known.
type use struct {
	node, line int
	key        *nodeKey
}

// Load reads the topology file at path.
func Load(path string) (*Topology, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load topology: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a topology from data. Its name is the base of name without the
// ending; name itself stands before the line number in errors, each of which
// is one line that says what to write instead.
func Parse(name string, data []byte) (*Topology, error) {
	p := &parser{
		name:        name,
		t:           &Topology{Seed: 1, IPv4: true, IPv6: true, Source: -1, Destination: -1},
		defaultNode: Node{Fields: FiveTuple},
		defaultEdge: Edge{Weight: 1, Delay: defaultDelay},
		index:       map[string]int{},
		edges:       map[[2]int]int{},
		once:        map[string]int{},
	}
	base := filepath.Base(name)
	p.t.Name = strings.TrimSuffix(base, filepath.Ext(base))

	body, first, err := p.findSection(data)
	if err != nil {
		return nil, err
	}
	line := first
	for text := range strings.Lines(string(body)) {
		if err := p.line(line, text); err != nil {
			return nil, err
		}
		line++
	}
	if err := p.finish(first); err != nil {
		return nil, err
	}
	return p.t, nil
}

// findSection returns the topology section and the number of its first line,
// and keeps the comment and the prefixes.
func (p *parser) findSection(data []byte) (body []byte, first int, err error) {
	archive := txtar.Parse(data)
	p.t.Comment = strings.TrimSpace(string(archive.Comment))
	line := 1 + bytes.Count(archive.Comment, []byte("\n"))
	for _, file := range archive.Files {
		line++ // the marker
		switch {
		case file.Name == section && first != 0, file.Name == prefixesSection && p.t.Prefixes != nil:
			return nil, 0, p.errorf(line-1, "a second section %q; write one", file.Name)
		case file.Name == section:
			body, first = file.Data, line
		case file.Name == prefixesSection:
			p.t.Prefixes = append([]byte{}, file.Data...)
		}
		line += bytes.Count(file.Data, []byte("\n"))
	}
	if first == 0 {
		return nil, 0, p.errorf(1, "no topology here; write a line \"-- %s --\" before the nodes and links", section)
	}
	return body, first, nil
}

// errorf makes the one-line error of a line.
func (p *parser) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", p.name, line, fmt.Errorf(format, args...))
}

// line reads one line of the section.
func (p *parser) line(line int, text string) error {
	text, _, _ = strings.Cut(text, "#")
	words := strings.Fields(strings.ReplaceAll(text, ">", " > "))
	if len(words) == 0 {
		return nil
	}
	var err error
	switch verb, rest := words[0], words[1:]; verb {
	case "seed":
		err = p.seed(line, rest)
	case "family":
		err = p.family(line, rest)
	case "default":
		err = p.defaults(rest)
	case "node":
		err = p.node(line, rest)
	case "link":
		err = p.link(line, rest)
	default:
		err = fmt.Errorf("unknown word %q; start the line with seed, family, default, node or link", verb)
	}
	if err != nil {
		return p.errorf(line, "%w", err)
	}
	return nil
}

// first refuses a verb that may stand in one line only.
func (p *parser) first(verb string, line int) error {
	if was := p.once[verb]; was != 0 {
		return fmt.Errorf("%s stands on line %d already; keep one of the two", verb, was)
	}
	p.once[verb] = line
	return nil
}

func (p *parser) seed(line int, words []string) error {
	if len(words) != 1 {
		return fmt.Errorf("seed takes one number; write: seed 1")
	}
	n, err := strconv.ParseUint(words[0], 10, 64)
	if err != nil {
		return fmt.Errorf("seed %q is no whole number; write: seed 1", words[0])
	}
	p.t.Seed = n
	return p.first("seed", line)
}

func (p *parser) family(line int, words []string) error {
	p.t.IPv4, p.t.IPv6 = false, false
	for _, word := range words {
		switch word {
		case "4":
			p.t.IPv4 = true
		case "6":
			p.t.IPv6 = true
		default:
			return fmt.Errorf("unknown family %q; write: family 4, family 6 or family 4 6", word)
		}
	}
	if len(words) == 0 {
		return fmt.Errorf("family without a number; write: family 4, family 6 or family 4 6")
	}
	return p.first("family", line)
}

// defaults sets keys of everything that later lines create.
func (p *parser) defaults(words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("default without keys; write for example: default limit=6/1s delay=2ms")
	}
	if len(p.t.Nodes) > 0 {
		return fmt.Errorf("default after the first node or link; move it up")
	}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		if set, ok := linkKeys[name]; ok {
			if err := set(&p.defaultEdge, value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		key, err := findNodeKey(name)
		if err != nil {
			return err
		}
		if key.single {
			return fmt.Errorf("%s belongs to one node; write it on a node line", name)
		}
		if err := key.apply(&p.defaultNode, word); err != nil {
			return err
		}
		p.defaultSeed = p.defaultSeed || name == keyHashSeed
	}
	return nil
}
