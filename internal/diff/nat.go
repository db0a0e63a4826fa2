// SPDX-License-Identifier: BSD-3-Clause

package diff

import "traceflow"

// findNAT compares what quotes show of translated sources: whether there is a
// translation, and to which address. A NAT gives flows other ports each time, so
// that neither they nor the checksum that follows from them are compared.
func (p *pair) findNAT() {
	p.findStates(NATChanged, func(w *traceflow.Walk, r *traceflow.Reply) (string, bool) {
		told := r.Kind.Quotes() && r.HeaderQuoted
		switch {
		case r.Quote == nil:
			return "no translation", told
		case r.Quote.Source.IsValid() && r.Quote.Source.Addr() != w.Flow.Source:
			return "translated to " + r.Quote.Source.Addr().String(), told
		case r.Quote.Source.IsValid():
			return "ports translated", told
		case r.Quote.Checksum != 0:
			return "translated", told
		}
		return "no translation", told // another IP ID is no sign of a translation
	})
}
