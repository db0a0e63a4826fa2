// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"bytes"
	"encoding/json"
	"math"
	"net/netip"
)

// docExchanges are most of a document. They are read without reflection as far as
// they look as MarshalJSON writes them; whatever looks otherwise is left to
// encoding/json, so that nothing is read in two ways.
type docExchanges []docExchange

// UnmarshalJSON reads them; the data is known to be JSON.
func (all *docExchanges) UnmarshalJSON(data []byte) error {
	if quick, ok := quickExchanges(data); ok {
		*all = quick
		return nil
	}
	return json.Unmarshal(data, (*[]docExchange)(all))
}

// reading is a document without what a reader has no use for, because it follows
// from flows and exchanges.
type reading struct {
	document
	Paths unread `json:"paths"`
	Nodes unread `json:"nodes"`
	Links unread `json:"links"`
}

// unread is any value.
type unread struct{}

// UnmarshalJSON leaves it out.
func (unread) UnmarshalJSON([]byte) error { return nil }

// quickExchanges reads what there is, or reports that it looks otherwise.
func quickExchanges(data []byte) (docExchanges, bool) {
	q := quick{rest: data, ok: true}
	all := make(docExchanges, 0, bytes.Count(data, []byte(`"attempt"`)))
	q.list(func() {
		all = append(all, docExchange{})
		q.exchange(&all[len(all)-1])
	})
	return all, q.ok && len(q.rest) == 0
}

// quick reads JSON without spaces, escapes and surprises. Once something is not
// so, ok is false and all that follows is nothing.
type quick struct {
	rest []byte
	ok   bool
}

// take takes a byte that has to come next.
func (q *quick) take(c byte) {
	if q.ok = q.ok && len(q.rest) > 0 && q.rest[0] == c; q.ok {
		q.rest = q.rest[1:]
	}
}

// next reports whether a byte comes next, and takes it.
func (q *quick) next(c byte) bool {
	if !q.ok || len(q.rest) == 0 || q.rest[0] != c {
		return false
	}
	q.rest = q.rest[1:]
	return true
}

// word reports whether a word comes next, and takes it.
func (q *quick) word(w string) bool {
	if !q.ok || len(q.rest) < len(w) || string(q.rest[:len(w)]) != w {
		return false
	}
	q.rest = q.rest[len(w):]
	return true
}

// list calls element for each element of a list.
func (q *quick) list(element func()) {
	q.take('[')
	if q.next(']') {
		return
	}
	for q.ok {
		element()
		if q.next(']') {
			return
		}
		q.take(',')
	}
}

// object calls member for each key of an object.
func (q *quick) object(member func(key []byte)) {
	q.take('{')
	if q.next('}') {
		return
	}
	for q.ok {
		key := q.text()
		q.take(':')
		member(key)
		if q.next('}') {
			return
		}
		q.take(',')
	}
}

// text reads a string without escapes, of printable ASCII.
func (q *quick) text() []byte {
	q.take('"')
	for i, c := range q.rest {
		switch {
		case !q.ok || c == '\\' || c < ' ' || c > '~':
			q.ok = false
			return nil
		case c == '"':
			text := q.rest[:i]
			q.rest = q.rest[i+1:]
			return text
		}
	}
	q.ok = false
	return nil
}

// number reads a whole number that fits.
func (q *quick) number(lowest, highest int64) int64 {
	const digits = 18 // of which each fits
	negative := q.next('-')
	n, i := int64(0), 0
	for ; i < len(q.rest) && i <= digits && q.rest[i] >= '0' && q.rest[i] <= '9'; i++ {
		n = n*10 + int64(q.rest[i]-'0')
	}
	if negative {
		n = -n
	}
	if i == 0 || i > digits || n < lowest || n > highest || len(q.rest) > i && (q.rest[i] == '.' || q.rest[i] == 'e' || q.rest[i] == 'E') {
		q.ok = false
		return 0
	}
	q.rest = q.rest[i:]
	return n
}

func (q *quick) byte() uint8 { return uint8(q.number(0, math.MaxUint8)) }

func (q *quick) int() int { return int(q.number(math.MinInt32, math.MaxInt32)) }

func (q *quick) long() int64 { return q.number(math.MinInt64, math.MaxInt64) }

func (q *quick) bool() bool {
	if q.word("true") {
		return true
	}
	q.ok = q.word("false")
	return false
}

// byteOrNull is nil for null.
func (q *quick) byteOrNull() *uint8 {
	if q.word("null") {
		return nil
	}
	n := q.byte()
	return &n
}

func (q *quick) address() netip.Addr {
	a, err := netip.ParseAddr(string(q.text()))
	q.ok = q.ok && err == nil
	return a
}

func (q *quick) exchange(e *docExchange) {
	q.object(func(key []byte) {
		switch string(key) {
		case "flow":
			e.Flow = q.int()
		case "ttl":
			e.TTL = q.byte()
		case "attempt":
			e.Attempt = q.int()
		case "sent_us":
			sent := q.long()
			e.SentUS = &sent
		case "abandoned":
			e.Abandoned = q.bool()
		case "reply":
			if !q.word("null") {
				e.Reply = &docReply{Verified: true}
				q.reply(e.Reply)
			}
		default: // errors are rare
			q.ok = false
		}
	})
}

func (q *quick) reply(r *docReply) {
	q.object(func(key []byte) {
		switch string(key) {
		case "kind":
			r.Kind = q.kind()
		case "address":
			r.Address = q.address()
		case "rtt_us":
			r.RTTUS = q.long()
		case "icmp_type":
			r.ICMPType = q.byte()
		case "icmp_code":
			r.ICMPCode = q.byte()
		case "reply_ttl":
			r.ReplyTTL = q.byteOrNull()
		case "quoted_ttl":
			r.QuotedTTL = q.byteOrNull()
		case "quoted_tos":
			r.QuotedTOS = q.byteOrNull()
		case "mpls":
			r.MPLS = []docLabel{}
			q.list(func() {
				r.MPLS = append(r.MPLS, docLabel{})
				q.label(&r.MPLS[len(r.MPLS)-1])
			})
		case "verified":
			r.Verified = q.bool()
		case "mtu_bytes":
			r.MTU = uint32(q.number(0, math.MaxUint32))
		default: // changed quotes and interfaces are rare
			q.ok = false
		}
	})
}

// kind is one of the names that there are, which takes no memory of its own.
func (q *quick) kind() string {
	text := q.text()
	for _, name := range replyKindNames {
		if string(text) == name {
			return name
		}
	}
	q.ok = false
	return ""
}

func (q *quick) label(l *docLabel) {
	q.object(func(key []byte) {
		switch string(key) {
		case "label":
			l.Label = uint32(q.number(0, math.MaxUint32))
		case "tc":
			l.TC = q.byte()
		case "bottom":
			l.Bottom = q.bool()
		case "ttl":
			l.TTL = q.byte()
		default:
			q.ok = false
		}
	})
}
