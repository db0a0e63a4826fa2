// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import "net/netip"

// docOnset is where something begins, as every finding of quotes has it.
type docOnset struct {
	TTL uint8 `json:"ttl"`
	// AfterTTL and After are null where nothing before was answered.
	AfterTTL *uint8      `json:"after_ttl"`
	After    *netip.Addr `json:"after"`
}

type docTranslation struct {
	docOnset
	Evidence   NATEvidence `json:"evidence"`
	Certain    bool        `json:"certain"`
	Source     *netip.Addr `json:"source"`
	SourcePort *uint16     `json:"src_port"`
	KeepsPorts *bool       `json:"keeps_ports"`
	Flow       int         `json:"flow"`
	Flows      int         `json:"flows"`
}

type docTunnel struct {
	Kind      TunnelKind     `json:"kind"`
	Evidence  TunnelEvidence `json:"evidence"`
	FromTTL   uint8          `json:"from_ttl"`
	ToTTL     uint8          `json:"to_ttl"`
	Addresses []netip.Addr   `json:"addresses"`
	Hidden    int            `json:"hidden"`
	// These are there only if the evidence has them.
	LabelTTL   uint8 `json:"label_ttl,omitempty"`
	QuotedFrom uint8 `json:"quoted_from,omitempty"`
	QuotedTo   uint8 `json:"quoted_to,omitempty"`
	Flows      int   `json:"flows"`
}

type docRemark struct {
	docOnset
	Field MarkField `json:"field"`
	From  uint8     `json:"from"`
	To    uint8     `json:"to"`
	Flows int       `json:"flows"`
}

type docZeroTTL struct {
	TTL     uint8       `json:"ttl"`
	Address netip.Addr  `json:"address"`
	After   *netip.Addr `json:"after"`
	Flows   int         `json:"flows"`
}

type docSpan struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

func (o Onset) document() docOnset {
	d := docOnset{TTL: o.TTL, After: validAddress(o.Before)}
	if o.After > 0 {
		d.AfterTTL = &o.After
	}
	return d
}

// addFindings writes what follows from the rest. It is not read back.
func (d *document) addFindings(f Findings) {
	d.NATs, d.Tunnels, d.Remarks, d.ZeroTTL = []docTranslation{}, []docTunnel{}, []docRemark{}, []docZeroTTL{}
	for _, x := range f.NATs {
		doc := docTranslation{
			docOnset: x.document(), Evidence: x.Evidence, Certain: x.Evidence.Certain(), Flow: x.Flow, Flows: x.Flows,
		}
		if x.Source.IsValid() {
			port := x.Source.Port()
			doc.Source, doc.SourcePort, doc.KeepsPorts = validAddress(x.Source.Addr()), &port, &x.KeepsPorts
		}
		d.NATs = append(d.NATs, doc)
	}
	for _, x := range f.Tunnels {
		doc := docTunnel{
			Kind: x.Kind, Evidence: x.Evidence, FromTTL: x.From, ToTTL: x.To, Addresses: []netip.Addr{}, Hidden: x.Hidden,
			LabelTTL: x.LabelTTL, QuotedFrom: x.QuotedFrom, QuotedTo: x.QuotedTo, Flows: x.Flows,
		}
		doc.Addresses = append(doc.Addresses, x.Addresses...)
		d.Tunnels = append(d.Tunnels, doc)
	}
	for _, x := range f.Remarks {
		d.Remarks = append(d.Remarks, docRemark{docOnset: x.document(), Field: x.Field, From: x.From, To: x.To, Flows: x.Flows})
	}
	for _, x := range f.ZeroTTL {
		d.ZeroTTL = append(d.ZeroTTL, docZeroTTL{TTL: x.TTL, Address: x.Address, After: validAddress(x.Before), Flows: x.Flows})
	}
}

// addFingerprints writes what the replies' TTLs tell beside each node.
func (d *document) addFingerprints(all []Fingerprint) {
	byNode := make(map[string]*Fingerprint, len(all))
	for i := range all {
		byNode[all[i].Node] = &all[i]
	}
	for i := range d.Nodes {
		if f := byNode[d.Nodes[i].ID]; f != nil {
			d.Nodes[i].InitialTTL = &f.InitialTTL
			d.Nodes[i].ReturnLength = (*docSpan)(&f.ReturnLength)
			d.Nodes[i].Asymmetry = (*docSpan)(&f.Asymmetry)
		}
	}
}
