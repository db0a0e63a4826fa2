// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// docAnnotation is what is known of one address. What is null is not known.
type docAnnotation struct {
	Address  netip.Addr   `json:"address"`
	Hostname *docHostname `json:"hostname"`
	Origin   *docOrigin   `json:"origin"`
	Place    *docPlace    `json:"place"`
	Port     *docPort     `json:"ixp"`
}

type docHostname struct {
	Name   string `json:"name"`
	Source string `json:"source"`
}

type docOrigin struct {
	ASNs   []uint32      `json:"asns"`
	Name   string        `json:"as_name"`
	Prefix *netip.Prefix `json:"prefix"`
	Source string        `json:"source"`
}

type docPlace struct {
	Country string `json:"country"`
	City    string `json:"city"`
	Source  string `json:"source"`
}

type docPort struct {
	Name       string        `json:"name"`
	Prefix     *netip.Prefix `json:"prefix"`
	Member     *uint32       `json:"member_asn"`
	MemberName string        `json:"member_name"`
	Source     string        `json:"source"`
}

type docDataSet struct {
	Name    string     `json:"name"`
	Kind    string     `json:"kind"`
	Date    *time.Time `json:"date"`
	SHA256  string     `json:"sha256"`
	Licence string     `json:"licence"`
}

type docBorder struct {
	Near       docBorderSide  `json:"near"`
	Far        docBorderSide  `json:"far"`
	IXP        *string        `json:"ixp"`
	LAN        *netip.Prefix  `json:"ixp_prefix"`
	Evidence   BorderEvidence `json:"evidence"`
	Confidence Confidence     `json:"confidence"`
	Flows      int            `json:"flows"`
}

type docBorderSide struct {
	ASN     *uint32     `json:"asn"`
	Name    *string     `json:"as_name"`
	TTL     uint8       `json:"ttl"`
	Address *netip.Addr `json:"address"`
}

// addAnnotations writes what is known of the addresses, and beside each node
// the part of it that people ask for most.
func (d *document) addAnnotations(t *Trace) {
	d.Annotations, d.DataSets, d.Borders = []docAnnotation{}, []docDataSet{}, []docBorder{}
	for i := range t.Annotations {
		d.Annotations = append(d.Annotations, t.Annotations[i].document())
	}
	for i := range d.Nodes {
		if n := &d.Nodes[i]; n.Address != nil {
			a := t.Annotations.Of(*n.Address)
			n.Hostname = known(a.Hostname.Name)
			asn, name := a.Owner()
			n.ASN, n.ASName = known(asn), known(name)
		}
	}
	for _, s := range t.DataSets {
		doc := docDataSet{Name: s.Name, Kind: s.Kind, SHA256: s.SHA256, Licence: s.Licence}
		if !s.Date.IsZero() {
			date := s.Date.UTC()
			doc.Date = &date
		}
		d.DataSets = append(d.DataSets, doc)
	}
	for _, b := range t.Borders() {
		d.Borders = append(d.Borders, docBorder{
			Near: b.Near.document(), Far: b.Far.document(), IXP: known(b.IXP), LAN: validPrefix(b.LAN),
			Evidence: b.Evidence, Confidence: b.Confidence, Flows: b.Flows,
		})
	}
}

func (a *Annotation) document() docAnnotation {
	d := docAnnotation{Address: a.Address}
	if a.Hostname.Name != "" {
		d.Hostname = (*docHostname)(&a.Hostname)
	}
	if o := &a.Origin; len(o.ASNs) > 0 {
		d.Origin = &docOrigin{ASNs: o.ASNs, Name: o.Name, Prefix: validPrefix(o.Prefix), Source: o.Source}
	}
	if a.Place != (Place{}) {
		d.Place = (*docPlace)(&a.Place)
	}
	if p := &a.Port; *p != (Port{}) {
		d.Port = &docPort{
			Name: p.IXP, Prefix: validPrefix(p.Prefix), Member: known(p.Member), MemberName: p.MemberName, Source: p.Source,
		}
	}
	return d
}

func (s *BorderSide) document() docBorderSide {
	return docBorderSide{ASN: known(s.ASN), Name: known(s.Name), TTL: s.TTL, Address: validAddress(s.Address)}
}

// known returns nil for the zero value, which says that nothing is known.
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func validPrefix(p netip.Prefix) *netip.Prefix {
	if !p.IsValid() {
		return nil
	}
	return &p
}

// annotations reads back what is known of the addresses. Borders and what
// stands beside nodes follow from it.
func (d *document) annotations() (Annotations, []DataSet, error) {
	var all Annotations
	for i := range d.Annotations {
		a, err := d.Annotations[i].read()
		if err != nil {
			return nil, nil, fmt.Errorf("annotation %d: %w", i, err)
		}
		all = append(all, a)
	}
	slices.SortStableFunc(all, func(a, b Annotation) int { return a.Address.Compare(b.Address) })
	for i := 1; i < len(all); i++ {
		if all[i].Address == all[i-1].Address {
			return nil, nil, fmt.Errorf("two annotations of %s", all[i].Address)
		}
	}
	var sets []DataSet
	for _, s := range d.DataSets {
		set := DataSet{Name: s.Name, Kind: s.Kind, SHA256: s.SHA256, Licence: s.Licence}
		if s.Date != nil {
			set.Date = s.Date.UTC()
		}
		sets = append(sets, set)
	}
	return all, sets, nil
}

func (d *docAnnotation) read() (Annotation, error) {
	if !d.Address.IsValid() {
		return Annotation{}, errors.New("no address")
	}
	a := Annotation{Address: d.Address}
	if d.Hostname != nil {
		a.Hostname = Hostname(*d.Hostname)
	}
	if o := d.Origin; o != nil && len(o.ASNs) > 0 {
		a.Origin = Origin{ASNs: o.ASNs, Name: o.Name, Source: o.Source}
		if o.Prefix != nil {
			a.Origin.Prefix = *o.Prefix
		}
	}
	if d.Place != nil {
		a.Place = Place(*d.Place)
	}
	if p := d.Port; p != nil {
		a.Port = Port{IXP: p.Name, MemberName: p.MemberName, Source: p.Source}
		if p.Prefix != nil {
			a.Port.Prefix = *p.Prefix
		}
		if p.Member != nil {
			a.Port.Member = *p.Member
		}
	}
	return a, nil
}
