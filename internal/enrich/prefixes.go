// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// The columns of the user's own table.
const (
	columnPrefix  = "prefix"
	columnASN     = "asn"
	columnASName  = "as_name"
	columnCountry = "country"
	columnCity    = "city"
	columnIXP     = "ixp"
	columnMember  = "member"
)

var prefixColumns = []string{columnPrefix, columnASN, columnASName, columnCountry, columnCity, columnIXP, columnMember}

// ParsePrefixes reads the user's own table: CSV whose first line names its
// columns, of which prefix has to be there.
//
//	prefix,asn,as_name,country,city,ixp,member
//	192.0.2.0/24,64500,Example,DE,Berlin,,
//	198.51.100.0/24,,,,,Example-IX,
//	198.51.100.7,64501,,,,Example-IX,Example Member
//
// A row with ixp makes its prefix a peering LAN, or, if it is one address with an
// asn, the port of that member. A prefix within another has what its own row does
// not say from the other's. Errors name the table, line and column.
func ParsePrefixes(r io.Reader, name string) (*Table, error) {
	p, err := readPrefixes(r)
	if err == nil {
		var b []byte
		if b, err = p.builder.build(); err == nil {
			return tableOf(b)
		}
	}
	return nil, fmt.Errorf("%s: %w", name, err)
}

// prefixReader is a CSV file being read.
type prefixReader struct {
	*csv.Reader
	values  *valueReader
	columns []string // by position
	fields  []string // of this row
}

func newPrefixReader(r io.Reader) (*prefixReader, error) {
	values := &valueReader{r: r}
	p := &prefixReader{Reader: csv.NewReader(values), values: values}
	p.Comment = '#'
	p.TrimLeadingSpace = true
	p.FieldsPerRecord = -1 // it is said in other words here
	p.ReuseRecord = true
	header, err := p.read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("there is no line in it")
	} else if err != nil {
		return nil, csvError(err)
	}
	header[0] = strings.TrimPrefix(header[0], "\uFEFF") // as spreadsheets begin
	for i, column := range header {
		column = strings.ToLower(strings.TrimSpace(column))
		p.fields = header
		switch {
		case !slices.Contains(prefixColumns, column):
			return nil, p.at(i, fmt.Errorf("column %s is none of %s", quote(column), strings.Join(prefixColumns, ", ")))
		case slices.Contains(p.columns, column):
			return nil, p.at(i, fmt.Errorf("column %s is there twice", column))
		}
		p.columns = append(p.columns, column)
	}
	if !slices.Contains(p.columns, columnPrefix) {
		return nil, errors.New("line 1: there is no column prefix")
	}
	return p, nil
}

// read reads a record, which is kept in memory whole.
func (p *prefixReader) read() ([]string, error) {
	p.values.begin()
	return p.Read()
}

// at says where a field stands.
func (p *prefixReader) at(field int, err error) error {
	line, column := p.FieldPos(field)
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}

// csvError puts an error of the CSV reader in the same form.
func csvError(err error) error {
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("line %d, column %d: %w", e.Line, e.Column, e.Err)
	}
	return err
}

// next reads a row; io.EOF after the last.
func (p *prefixReader) next() (err error) {
	if p.fields, err = p.read(); err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return csvError(err)
	}
	if len(p.fields) > len(p.columns) {
		return p.at(len(p.columns), fmt.Errorf("%d fields where there are %d columns", len(p.fields), len(p.columns)))
	}
	return nil
}

// field returns the text of a column in this row, and its position; rows may end
// early.
func (p *prefixReader) field(column string) (string, int) {
	i := slices.Index(p.columns, column)
	if i < 0 || i >= len(p.fields) {
		return "", 0
	}
	return clean(p.fields[i]), i
}

// readPrefixes reads the rows of the user's own table.
func readPrefixes(r io.Reader) (parsed, error) {
	p, err := newPrefixReader(r)
	if err != nil {
		return parsed{}, err
	}
	out := parsed{builder: newBuilder()}
	lines := make(map[netip.Prefix]int)
	for {
		if err := p.next(); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return parsed{}, err
		}
		prefix, rec, err := p.row()
		if err != nil {
			return parsed{}, err
		}
		line, _ := p.FieldPos(0)
		if before, ok := lines[prefix]; ok {
			_, i := p.field(columnPrefix)
			return parsed{}, p.at(i, fmt.Errorf("%s is there already, in line %d", prefix, before))
		}
		lines[prefix] = line
		out.rows++
		out.family(prefix.Addr())
		if len(rec.asns) > 0 {
			out.builder.name(rec.asns[0], rec.asName)
		}
		if err := out.builder.addPrefix(prefix, rec, line); err != nil {
			return parsed{}, atLine(line, err)
		}
	}
}

// row reads the fields of this row.
func (p *prefixReader) row() (netip.Prefix, record, error) {
	refuse := func(i int, err error) (netip.Prefix, record, error) { return netip.Prefix{}, record{}, p.at(i, err) }
	text, i := p.field(columnPrefix)
	prefix, err := prefixOrAddress(text)
	if err != nil {
		return refuse(i, err)
	}
	r := record{originBits: uint8(prefix.Bits()), lanBits: uint8(prefix.Bits())}
	if text, i = p.field(columnASN); text != "" {
		asn, err := parseASN(text)
		if err == nil && asn == 0 {
			err = errors.New("0 is the number of no AS")
		}
		if err != nil {
			return refuse(i, err)
		}
		r.asns = []uint32{asn}
	}
	if r.asName, i = p.field(columnASName); r.asName != "" && r.asns == nil {
		return refuse(i, errors.New("the name of an AS without its number"))
	}
	if text, i = p.field(columnCountry); text != "" {
		if r.country = country(text); r.country == "" {
			return refuse(i, fmt.Errorf("%s is no country code of two letters", quote(text)))
		}
	}
	r.city, _ = p.field(columnCity)
	r.ixp, _ = p.field(columnIXP)
	port := r.ixp != "" && prefix.IsSingleIP() && r.asns != nil
	if text, i = p.field(columnMember); text != "" && !port {
		return refuse(i, errors.New("a member needs a single address, asn and ixp"))
	}
	if port {
		// Its origin follows from that, and is no prefix that is announced.
		r.member, r.memberName = r.asns[0], text
		if text == "" {
			r.memberName = r.asName
		}
		r.lanBits, r.originBits = unknownBits, unknownBits
	}
	return prefix, r, nil
}

// prefixOrAddress reads a prefix, or an address as the prefix of its length.
func prefixOrAddress(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		return parsePrefix(s)
	}
	address, err := parseAddress(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%s is neither a prefix nor an address", quote(s))
	}
	return netip.PrefixFrom(address, address.BitLen()), nil
}
