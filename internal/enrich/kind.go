// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Kind is the form of a data set.
type Kind string

// The kinds, those that are believed most first.
const (
	KindPrefixes  Kind = "prefixes"  // the user's own table
	KindPeeringDB Kind = "peeringdb" // peering LANs and their ports
	KindRISWhois  Kind = "riswhois"
	KindPfx2as    Kind = "pfx2as"
	KindIPToASN   Kind = "iptoasn"
	KindMMDB      Kind = "mmdb"
)

// Kinds returns all of them, those that are believed most first.
func Kinds() []Kind {
	return []Kind{KindPrefixes, KindPeeringDB, KindRISWhois, KindPfx2as, KindIPToASN, KindMMDB}
}

// rank is lower for what is believed more.
func (k Kind) rank() int { return slices.Index(Kinds(), k) }

// trust is what decides which of two sets is believed more: the kind, then the
// newer data, then the name.
type trust struct {
	kind Kind
	date time.Time
	name string
}

// compare is negative if t is believed more.
func (t trust) compare(u trust) int {
	return cmp.Or(cmp.Compare(t.kind.rank(), u.kind.rank()), u.date.Compare(t.date), cmp.Compare(t.name, u.name))
}

// licence is what data of the kind may be used for; that of an MMDB file follows
// from its type.
func (k Kind) licence() string {
	switch k {
	case KindPrefixes:
		return "yours"
	case KindPeeringDB:
		return "PeeringDB AUP"
	case KindRISWhois:
		return "RIPE NCC terms"
	case KindPfx2as:
		return "CAIDA AUA"
	case KindIPToASN:
		return "PDDL"
	case KindMMDB:
	}
	return ""
}

// ages reports whether data of the kind get worse by themselves.
func (k Kind) ages() bool { return k != KindPrefixes }

// setName is what a set is called if nobody says. Sources that keep IPv4 and IPv6
// in two files make two sets.
func (k Kind) setName(p *parsed) string {
	if k == KindRISWhois || k == KindPfx2as || k == KindIPToASN {
		switch {
		case p.v4 && !p.v6:
			return string(k) + "-ipv4"
		case p.v6 && !p.v4:
			return string(k) + "-ipv6"
		}
	}
	return string(k)
}

// maxName bounds the name of a set, in bytes.
const maxName = 40

// nameFrom makes a name out of what a vendor calls its file.
func nameFrom(text string) string {
	text, _, _ = strings.Cut(text, "(") // DB-IP says there what it stands in for
	text = strings.TrimSuffix(strings.TrimSpace(strings.ToLower(text)), ".mmdb")
	var b strings.Builder
	for _, r := range text {
		switch {
		case b.Len() == maxName:
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if name := strings.Trim(b.String(), "-"); name != "" {
		return name
	}
	return string(KindMMDB)
}

// ValidName reports whether a set can be called that: letters, digits and single
// . _ - between them.
func ValidName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	letter := false
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			letter = true
		case letter && (r == '.' || r == '_' || r == '-'):
			letter = false
		default:
			return false
		}
	}
	return letter
}
