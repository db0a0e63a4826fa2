// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf8"
)

// Bounds of what a data set may say of one address.
const (
	maxText    = 256 // bytes of a name
	maxOrigins = 16
)

// unknownBits stands for the length of a prefix that is not known.
const unknownBits = 0xff

// record is what a data set says of a range of addresses: up to three groups,
// each of which may be missing.
type record struct {
	// Who announces it, the most widely seen first; asName is of the first.
	asns       []uint32
	asName     string
	originBits uint8 // length of the prefix that is announced

	country, city string

	// The exchange point whose peering LAN it is, and whose port.
	ixp        string
	lanBits    uint8
	member     uint32
	memberName string
}

// The groups, as they are marked in a file.
const (
	hasOrigin = 1 << iota
	hasPlace
	hasPort
)

func (r *record) groups() byte {
	var g byte
	if len(r.asns) > 0 {
		g |= hasOrigin
	}
	if r.country != "" || r.city != "" {
		g |= hasPlace
	}
	if r.ixp != "" {
		g |= hasPort
	}
	return g
}

// inherit fills what is missing from the record of a range around it. It
// reports whether anything was.
func (r *record) inherit(from *record) bool {
	missing := from.groups() &^ r.groups()
	if missing&hasOrigin != 0 {
		r.asns, r.asName, r.originBits = from.asns, from.asName, from.originBits
	}
	if missing&hasPlace != 0 {
		r.country, r.city = from.country, from.city
	}
	if missing&hasPort != 0 {
		r.ixp, r.lanBits, r.member, r.memberName = from.ixp, from.lanBits, from.member, from.memberName
	}
	// A port knows its LAN only from the prefix that it lies in.
	lan := r.ixp != "" && r.lanBits == unknownBits && from.ixp != "" && from.lanBits != unknownBits
	if lan {
		r.lanBits = from.lanBits
	}
	return missing != 0 || lan
}

// append encodes the record.
func (r *record) append(b []byte) []byte {
	groups := r.groups()
	b = append(b, groups)
	if groups&hasOrigin != 0 {
		asns := r.asns[:min(len(r.asns), maxOrigins)]
		b = append(b, r.originBits, byte(len(asns)))
		for _, asn := range asns {
			b = binary.AppendUvarint(b, uint64(asn))
		}
		b = appendText(b, r.asName)
	}
	if groups&hasPlace != 0 {
		b = appendText(appendText(b, r.country), r.city)
	}
	if groups&hasPort != 0 {
		b = appendText(append(b, r.lanBits), r.ixp)
		b = appendText(binary.AppendUvarint(b, uint64(r.member)), r.memberName)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// errDamaged is a file that is not as it was written.
var errDamaged = errors.New("the file is damaged")

// decodeRecord decodes what append made; what follows it is left alone.
func decodeRecord(b []byte) (record, error) {
	d := decoder{b: b}
	var r record
	groups := d.byte()
	if groups&hasOrigin != 0 {
		r.originBits = d.bits()
		n := d.byte()
		if n == 0 || n > maxOrigins {
			return record{}, errDamaged
		}
		r.asns = make([]uint32, n)
		for i := range r.asns {
			r.asns[i] = d.number()
		}
		r.asName = d.text()
	}
	if groups&hasPlace != 0 {
		r.country, r.city = d.text(), d.text()
	}
	if groups&hasPort != 0 {
		r.lanBits, r.ixp = d.bits(), d.text()
		r.member, r.memberName = d.number(), d.text()
	}
	// What is there says all that its mark promises, and nothing is unknown.
	if d.bad || r.groups() != groups {
		return record{}, errDamaged
	}
	return r, nil
}

// decoder reads from b until something is wrong.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.bad = true
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) bits() uint8 {
	v := d.byte()
	if v > 128 && v != unknownBits {
		d.bad = true
	}
	return v
}

func (d *decoder) number() uint32 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > 1<<32-1 {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return uint32(v)
}

func (d *decoder) text() string {
	n := d.number()
	if n > maxText || int(n) > len(d.b) || !utf8.Valid(d.b[:n]) {
		d.bad = true
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

// clean makes text of a data set valid UTF-8 of bounded length. It escapes
// nothing: that is for whoever shows it.
func clean(s string) string {
	if len(s) > 4*maxText {
		s = s[:4*maxText]
	}
	s = strings.TrimSpace(strings.ToValidUTF8(s, string(utf8.RuneError)))
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// country returns a code of two letters in upper case, and "" for all else:
// tables write "None", "ZZ" and "-" where they do not know.
func country(s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) != 2 || s == "ZZ" || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return ""
	}
	return s
}
