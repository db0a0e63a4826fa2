// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"net/netip"

	"traceflow"
)

// translation is what a quote shows of a translated source.
type translation struct {
	some    bool
	address netip.Addr // valid where the quote has it, and it is another than was sent
}

// translations compare whether sources are translated, and to which address. A NAT
// gives flows other ports each time, so that neither they nor the checksum that
// follows from them are compared; and another IP identification is no sign of one.
var translations = sign[translation]{
	kind: NATChanged,
	read: func(w *traceflow.Walk, r *traceflow.Reply) (t translation, told bool) {
		if q := r.Quote; q != nil {
			t.some = q.Source.IsValid() || q.Checksum != 0
			if q.Source.IsValid() && q.Source.Addr() != w.Flow.Source {
				t.address = q.Source.Addr()
			}
		}
		return t, r.Kind.Quotes() && r.HeaderQuoted
	},
	say: func(t translation) string {
		switch {
		case t.address.IsValid():
			return "translated to " + t.address.String()
		case t.some:
			return "translated"
		}
		return "not translated"
	},
}

func (p *pair) findNAT() { translations.find(p) }
