// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// peeringDB collects objects of PeeringDB, from one file with all of them or
// from several: peering LANs (ixpfx), their exchange points (ixlan, ix), ports of
// members (netixlan) and names of ASes (net).
type peeringDB struct {
	ixs    map[int]string // name by ix
	lans   map[int]int    // ix by ixlan
	ports  []pdbPort
	pfxs   []pdbPrefix
	names  map[uint32]string
	newest time.Time
}

type pdbPort struct {
	address netip.Addr
	ixlan   int
	asn     uint32
	ixName  string // as the port calls it
}

type pdbPrefix struct {
	prefix netip.Prefix
	ixlan  int
}

func newPeeringDB() *peeringDB {
	return &peeringDB{ixs: make(map[int]string), lans: make(map[int]int), names: make(map[uint32]string)}
}

// pdbRow has what is read of an object of any type. Pointers tell what is there
// at all: that is how an object's type is known.
type pdbRow struct {
	ID      int              `json:"id"`
	IX      *int             `json:"ix_id"`
	IXLan   *int             `json:"ixlan_id"`
	ASN     *uint32          `json:"asn"`
	Name    string           `json:"name"`
	Prefix  *string          `json:"prefix"`
	IPAddr4 *string          `json:"ipaddr4"`
	IPAddr6 *string          `json:"ipaddr6"`
	Unicast *json.RawMessage `json:"proto_unicast"`
	Status  string           `json:"status"`
	Updated time.Time        `json:"updated"`
}

// The types of objects that say something, by their names in a dump.
const (
	pdbIX      = "ix"
	pdbIXLan   = "ixlan"
	pdbIXPfx   = "ixpfx"
	pdbPorts   = "netixlan"
	pdbNet     = "net"
	pdbAnswer  = "data" // of the API, and of each type in a dump
	pdbMeta    = "meta"
	pdbUnknown = ""
)

func (r *pdbRow) kind() string {
	switch {
	case r.Prefix != nil && r.IXLan != nil:
		return pdbIXPfx
	case r.ASN != nil && r.IXLan != nil:
		return pdbPorts
	case r.IX != nil:
		return pdbIXLan
	case r.ASN != nil:
		return pdbNet
	case r.Unicast != nil:
		return pdbIX
	}
	return pdbUnknown
}

// errNotPeeringDB is JSON of something else.
var errNotPeeringDB = errors.New("this JSON is none of PeeringDB's: it has no objects ix, ixlan, ixpfx, netixlan or net")

// read reads one file: a dump of everything, or an answer of the API.
func (p *peeringDB) read(r io.Reader) error {
	d := newJSONReader(r)
	before := p.count()
	err := eachKey(d, func(key string) error {
		switch key {
		case pdbAnswer:
			return p.array(d, key)
		case pdbMeta:
			return p.meta(d)
		case pdbIX, pdbIXLan, pdbIXPfx, pdbPorts, pdbNet:
			return eachKey(d, func(inner string) error {
				switch inner {
				case pdbAnswer:
					return p.array(d, key)
				case pdbMeta:
					return p.meta(d)
				}
				return skipValue(d)
			})
		}
		return skipValue(d)
	})
	if err != nil {
		return jsonError(d, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	if p.count() == before {
		return errNotPeeringDB
	}
	return nil
}

// jsonError says what is wrong in words of a file.
func jsonError(d *jsonReader, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends in the middle: it was cut short")
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("no JSON after byte %d: %w", d.InputOffset(), err)
	}
	return err
}

func (p *peeringDB) count() int {
	return len(p.ixs) + len(p.lans) + len(p.ports) + len(p.pfxs) + len(p.names)
}

// eachKey calls value for each key of an object, which has to read its value.
func eachKey(d *jsonReader, value func(key string) error) error {
	if err := delim(d, '{'); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if err := value(key.(string)); err != nil { // as JSON has it
			return err
		}
	}
	return delim(d, '}')
}

func delim(d *jsonReader, want json.Delim) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("byte %d: %v where %v belongs", d.InputOffset(), token, want)
	}
	return nil
}

// skipValue reads over a value without keeping it.
func skipValue(d *jsonReader) error {
	depth := 0
	for {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// meta takes the time at which the API made its answer.
func (p *peeringDB) meta(d *jsonReader) error {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return err
	}
	var meta struct {
		Generated float64 `json:"generated"`
	}
	// Some dumps have something else there, which is of no use here.
	if json.Unmarshal(raw, &meta) == nil && meta.Generated > 0 && meta.Generated < 1<<40 {
		p.saw(time.Unix(int64(meta.Generated), 0).UTC())
	}
	return nil
}

func (p *peeringDB) saw(t time.Time) {
	if t.After(p.newest) {
		p.newest = t
	}
}

// array reads the objects of one type; that of an API's answer shows in them.
func (p *peeringDB) array(d *jsonReader, kind string) error {
	if err := delim(d, '['); err != nil {
		return err
	}
	for n := 1; d.More(); n++ {
		var row pdbRow
		if err := d.Decode(&row); err != nil {
			if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
				return fmt.Errorf("object %d of %s: %w", n, kind, err)
			}
			return err
		}
		if kind != pdbAnswer && row.kind() != kind {
			continue // without what it is there for
		}
		if err := p.add(&row); err != nil {
			return fmt.Errorf("object %d of %s: %w", n, kind, err)
		}
	}
	return delim(d, ']')
}

func (p *peeringDB) add(r *pdbRow) error {
	if r.Status != "" && r.Status != "ok" {
		return nil // pending or deleted
	}
	if p.count() >= maxRows {
		return errTooMany
	}
	p.saw(r.Updated.UTC())
	switch r.kind() {
	case pdbIX:
		p.ixs[r.ID] = clean(r.Name)
	case pdbIXLan:
		p.lans[r.ID] = *r.IX
	case pdbNet:
		p.names[*r.ASN] = clean(r.Name)
	case pdbIXPfx:
		prefix, err := parsePrefix(*r.Prefix)
		if err != nil {
			return err
		}
		p.pfxs = append(p.pfxs, pdbPrefix{prefix, *r.IXLan})
	case pdbPorts:
		for _, text := range []*string{r.IPAddr4, r.IPAddr6} {
			if text == nil || *text == "" {
				continue
			}
			address, err := parseAddress(*text)
			if err != nil {
				return err
			}
			p.ports = append(p.ports, pdbPort{address, *r.IXLan, *r.ASN, clean(r.Name)})
		}
		if r.IX != nil {
			p.lans[*r.IXLan] = *r.IX
		}
	}
	return nil
}

// parsed joins what was read. Two networks may claim an address, and two exchange
// points a LAN: the one that was entered first is believed.
func (p *peeringDB) parsed() (parsed, error) {
	out := parsed{builder: newBuilder(), rows: len(p.pfxs) + len(p.ports), date: p.newest}
	if out.rows == 0 {
		return parsed{}, errors.New("there are neither peering LANs (ixpfx) nor ports (netixlan) in it")
	}
	byPorts := make(map[int]string) // names by ixlan
	for _, port := range slices.Backward(p.ports) {
		byPorts[port.ixlan] = port.ixName
	}
	nameOf := func(ixlan int) string {
		ix, ok := p.lans[ixlan]
		if !ok {
			ix = ixlan // they are the same wherever both are known
		}
		return cmp.Or(p.ixs[ix], byPorts[ixlan])
	}
	seen := make(map[netip.Prefix]bool)
	nameless := 0
	for _, pfx := range p.pfxs {
		name := nameOf(pfx.ixlan)
		if name == "" {
			nameless++
		}
		if name == "" || seen[pfx.prefix] {
			continue
		}
		seen[pfx.prefix] = true
		out.family(pfx.prefix.Addr())
		if err := out.builder.addPrefix(pfx.prefix, record{ixp: name, lanBits: uint8(pfx.prefix.Bits())}, 0); err != nil {
			return parsed{}, err
		}
	}
	if nameless > 0 && nameless == len(p.pfxs) {
		return parsed{}, errors.New("no peering LAN has a name: the exchange points (ix) have to be given in the same command")
	}
	for _, port := range p.ports {
		own := netip.PrefixFrom(port.address, port.address.BitLen())
		if seen[own] {
			continue
		}
		seen[own] = true
		out.family(port.address)
		r := record{
			ixp: cmp.Or(nameOf(port.ixlan), "IXP without a name"), lanBits: unknownBits,
			member: port.asn, memberName: p.names[port.asn],
		}
		if err := out.builder.addPrefix(own, r, 0); err != nil {
			return parsed{}, err
		}
	}
	for _, asn := range slices.Sorted(maps.Keys(p.names)) {
		out.builder.name(asn, p.names[asn])
	}
	return out, nil
}

// looksLikeJSON reports whether a file begins as JSON does.
func looksLikeJSON(head []byte) bool {
	head = bytes.TrimSpace(head)
	return len(head) > 0 && (head[0] == '{' || head[0] == '[')
}
