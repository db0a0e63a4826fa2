// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// identity is what tells one packet of a run from every other. All of it
// follows from the run's secret key and the packet's number, so nobody who
// has not seen the packet can make up a reply to it.
type identity struct {
	// tag is what survives in a quote of 8 bytes: two 16-bit carriers, whose
	// places depend on the protocol. See docs/encoding.md.
	tag tag
	// cookie is in the payload, checked wherever the quote is long enough.
	cookie uint64
}

// tag is first carrier << 16 | second carrier.
type tag uint32

// The parts of a tag that an answer can tell.
const (
	wholeTag      tag = 0xffffffff
	secondCarrier tag = 0xffff
)

func newTag(first, second uint16) tag { return tag(first)<<16 | tag(second) }

func (t tag) first() uint16  { return uint16(t >> 16) }
func (t tag) second() uint16 { return uint16(t) }

// identities makes the identities of one run.
type identities struct {
	mac hash.Hash
	n   uint64
	sum [sha256.Size]byte
}

func newIdentities(key []byte) *identities {
	if key == nil {
		key = make([]byte, 32)
		rand.Read(key) // never fails, see crypto/rand
	}
	return &identities{mac: hmac.New(sha256.New, key)}
}

// next returns an identity that was not returned before in this run, except
// by chance; the caller draws again while taken says that its tag is in use.
// firstValues is how many values the first carrier has, counted from 1.
func (d *identities) next(firstValues uint16, taken func(tag) bool) identity {
	for {
		d.n++
		var number [8]byte
		binary.BigEndian.PutUint64(number[:], d.n)
		d.mac.Reset()
		d.mac.Write(number[:])
		sum := d.mac.Sum(d.sum[:0])
		id := identity{
			// Neither carrier may be 0: kernels replace an IP ID of 0, and a
			// UDP checksum of 0 means "none" (RFC 768). 0xffff is left out too,
			// because in one's complement it is another way to write 0.
			tag: newTag(1+binary.BigEndian.Uint16(sum[0:])%firstValues,
				1+binary.BigEndian.Uint16(sum[2:])%0xfffe),
			cookie: binary.BigEndian.Uint64(sum[4:]),
		}
		if !taken(id.tag) {
			return id
		}
	}
}
