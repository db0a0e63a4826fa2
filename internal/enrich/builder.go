// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// maxRows bounds what is read into memory: five Internets.
const maxRows = 8 << 20

// builder collects the rows of a table.
type builder struct {
	rows    []row
	records []record
	index   map[string]uint32 // of records, by their encoding
	names   map[uint32]string // of ASes
	scratch []byte
}

// row is a range of addresses of one family and its record.
type row struct {
	first, last netip.Addr
	record      uint32
	line        int // where it stands; 0 if nobody asks
}

// span is where a record begins to hold; it ends where the next begins.
type span struct {
	start  netip.Addr
	record uint32
}

// nothing is the record of addresses that no row covers.
const nothing = 1<<32 - 1

func newBuilder() *builder {
	return &builder{index: make(map[string]uint32), names: make(map[uint32]string)}
}

// intern returns the number of a record: equal ones have the same.
func (b *builder) intern(r record) uint32 {
	b.scratch = r.append(b.scratch[:0])
	if i, ok := b.index[string(b.scratch)]; ok {
		return i
	}
	i := uint32(len(b.records))
	b.records = append(b.records, r)
	b.index[string(b.scratch)] = i
	return i
}

var errTooMany = fmt.Errorf("more than %d rows are more than there can be", maxRows)

// add adds what is said of the addresses first to last.
func (b *builder) add(first, last netip.Addr, r record, line int) error {
	if len(b.rows) == maxRows {
		return errTooMany
	}
	if r.groups() != 0 {
		b.rows = append(b.rows, row{first, last, b.intern(r), line})
	}
	return nil
}

func (b *builder) addPrefix(p netip.Prefix, r record, line int) error {
	return b.add(p.Addr(), lastAddress(p), r, line)
}

// name remembers what an AS is called; the first to say so is believed.
func (b *builder) name(asn uint32, name string) {
	if _, ok := b.names[asn]; !ok && asn != 0 && name != "" {
		b.names[asn] = name
	}
}

// spans turns rows, of which some lie within others, into ranges that do not
// overlap: the innermost row counts, and inherits what it does not say.
func (b *builder) spans() ([]span, error) {
	slices.SortStableFunc(b.rows, func(x, y row) int {
		return cmp.Or(x.first.Compare(y.first), y.last.Compare(x.last))
	})
	var out []span
	emit := func(start netip.Addr, record uint32) {
		switch n := len(out); {
		case n > 0 && out[n-1].start == start:
			out[n-1].record = record
		case n > 0 && out[n-1].record == record && start.BitLen() == out[n-1].start.BitLen():
		default:
			out = append(out, span{start, record})
		}
	}
	var open []row // each within the one before it
	closeInner := func() {
		outer := uint32(nothing)
		if len(open) > 1 {
			outer = open[len(open)-2].record
		}
		// The last address of a family has no next one.
		if next := open[len(open)-1].last.Next(); next.IsValid() {
			emit(next, outer)
		}
		open = open[:len(open)-1]
	}
	for _, r := range b.rows {
		for len(open) > 0 && open[len(open)-1].last.Less(r.first) {
			closeInner()
		}
		if len(open) > 0 {
			outer := open[len(open)-1]
			if outer.last.Less(r.last) {
				return nil, fmt.Errorf("line %d: the range overlaps that of line %d", r.line, outer.line)
			}
			// By a copy: other rows share the record.
			if inner := b.records[r.record]; inner.inherit(&b.records[outer.record]) {
				r.record = b.intern(inner)
			}
		}
		emit(r.first, r.record)
		open = append(open, r)
	}
	for len(open) > 0 {
		closeInner()
	}
	return out, nil
}

var errNoRows = errors.New("it says nothing of any address")

// build compiles what was added.
func (b *builder) build() ([]byte, error) {
	if len(b.rows) == 0 {
		return nil, errNoRows
	}
	spans, err := b.spans()
	if err != nil {
		return nil, err
	}
	return encodeTable(spans, b.records, b.names)
}

// lastAddress returns the highest address of a prefix.
func lastAddress(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(bytes)*8; i++ {
		bytes[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}
