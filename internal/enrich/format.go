// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"net/netip"
	"slices"
)

// The file of a table, all numbers big-endian:
//
//	header      headerSize bytes
//	directory   the first key of each page of the three lists, and the CRC-32C
//	            of each page; then zeros up to a whole page
//	pages       of pageSize bytes each: IPv4, IPv6, AS names, heap
//
// A list is sorted by key: an address where a range begins (4 or 16 bytes), or an
// AS number (4). With each key goes the offset in the heap, 4 bytes, of what holds
// from there on: a record, a name, or nothing. No entry lies on two pages, and so
// one address takes one page of a list and one of the heap. Each page is checked
// when it is read, and the directory when the file is opened.
const (
	headerSize = 64
	pageSize   = 4096
	// formatVersion changes with all that follows.
	formatVersion = 1
	magic         = "TFLOWTBL"
	// maxPages bounds a file: 1 GiB.
	maxPages = 1 << 18
)

// The widths of keys in the three lists.
const (
	list4 = iota
	list6
	listNames
	lists
)

var keyWidths = [lists]int{4, 16, 4}

// valueWidth is that of an offset in the heap.
const valueWidth = 4

func perPage(list int) int { return pageSize / (keyWidths[list] + valueWidth) }

func pagesFor(list int, entries uint32) int {
	return int((int64(entries) + int64(perPage(list)) - 1) / int64(perPage(list)))
}

// header is what a file says of itself.
type header struct {
	entries   [lists]uint32
	heapPages uint32
}

func (h *header) pages() int {
	n := int(h.heapPages)
	for list, entries := range h.entries {
		n += pagesFor(list, entries)
	}
	return n
}

// directorySize is without the zeros after it.
func (h *header) directorySize() int {
	n := h.pages() * crc32.Size
	for list, entries := range h.entries {
		n += pagesFor(list, entries) * keyWidths[list]
	}
	return n
}

// pagesAt is the offset of the first page.
func (h *header) pagesAt() int64 {
	return int64(headerSize+h.directorySize()+pageSize-1) / pageSize * pageSize
}

func (h *header) fileSize() int64 { return h.pagesAt() + int64(h.pages())*pageSize }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// append encodes the header of a file with that directory.
func (h *header) append(b, directory []byte) []byte {
	start := len(b)
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint32(b, formatVersion)
	for _, n := range h.entries {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	b = binary.BigEndian.AppendUint32(b, h.heapPages)
	b = binary.BigEndian.AppendUint32(b, checksum(directory))
	b = append(b, make([]byte, headerSize-crc32.Size-(len(b)-start))...)
	return binary.BigEndian.AppendUint32(b, checksum(b[start:]))
}

var errTooLarge = errors.New("the table is too large")

var errNoTable = errors.New("not a compiled table")

// decodeHeader also returns the checksum of the directory.
func decodeHeader(b []byte) (header, uint32, error) {
	if len(b) < headerSize || string(b[:len(magic)]) != magic {
		return header{}, 0, errNoTable
	}
	if v := binary.BigEndian.Uint32(b[8:]); v != formatVersion {
		return header{}, 0, fmt.Errorf("form %d of the table is none that this version reads (%d): add it again", v, formatVersion)
	}
	if binary.BigEndian.Uint32(b[headerSize-crc32.Size:]) != checksum(b[:headerSize-crc32.Size]) {
		return header{}, 0, errDamaged
	}
	var h header
	for i := range h.entries {
		h.entries[i] = binary.BigEndian.Uint32(b[12+4*i:])
	}
	h.heapPages = binary.BigEndian.Uint32(b[24:])
	if h.heapPages > maxPages || h.pages() > maxPages {
		return header{}, 0, errDamaged
	}
	return h, binary.BigEndian.Uint32(b[28:]), nil
}

// pageWriter fills pages with entries that do not cross their borders.
type pageWriter struct{ b []byte }

// room makes sure that n bytes fit on the page that is being filled.
func (w *pageWriter) room(n int) {
	if used := len(w.b) % pageSize; used+n > pageSize {
		w.close()
	}
}

// close fills up the page.
func (w *pageWriter) close() {
	if used := len(w.b) % pageSize; used > 0 {
		w.b = append(w.b, make([]byte, pageSize-used)...)
	}
}

// encodeTable writes the file of a table.
func encodeTable(spans []span, records []record, names map[uint32]string) ([]byte, error) {
	var heap pageWriter
	offsets := make([]uint32, len(records))
	var scratch []byte
	place := func(encoded []byte) (uint32, error) {
		heap.room(len(encoded))
		if len(heap.b) >= maxPages*pageSize {
			return 0, errTooLarge
		}
		offset := uint32(len(heap.b))
		heap.b = append(heap.b, encoded...)
		return offset, nil
	}
	var err error
	for i := range records {
		scratch = records[i].append(scratch[:0])
		if offsets[i], err = place(scratch); err != nil {
			return nil, err
		}
	}

	var h header
	var pages [lists]pageWriter
	var firsts, directory []byte
	put := func(list int, key []byte, value uint32) {
		w := &pages[list]
		w.room(len(key) + valueWidth)
		if len(w.b)%pageSize == 0 {
			firsts = append(firsts, key...)
		}
		w.b = binary.BigEndian.AppendUint32(append(w.b, key...), value)
		h.entries[list]++
	}
	for _, s := range spans { // IPv4 first, as addresses are sorted
		value := uint32(nothing)
		if s.record != nothing {
			value = offsets[s.record]
		}
		put(listOf(s.start), s.start.AsSlice(), value)
	}
	for _, asn := range slices.Sorted(maps.Keys(names)) {
		value, err := place(appendText(scratch[:0], names[asn]))
		if err != nil {
			return nil, err
		}
		put(listNames, binary.BigEndian.AppendUint32(nil, asn), value)
	}

	heap.close()
	if h.heapPages = uint32(len(heap.b) / pageSize); h.pages() > maxPages {
		return nil, errTooLarge
	}
	directory = firsts
	all := make([]byte, 0, len(heap.b))
	for i := range pages {
		pages[i].close()
		all = append(all, pages[i].b...)
	}
	all = append(all, heap.b...)
	for page := range slices.Chunk(all, pageSize) {
		directory = binary.BigEndian.AppendUint32(directory, checksum(page))
	}
	directory = append(directory, make([]byte, int(h.pagesAt())-headerSize-len(directory))...)
	out := make([]byte, 0, h.fileSize())
	return append(append(h.append(out, directory), directory...), all...), nil
}

func listOf(address netip.Addr) int {
	if address.Is4() {
		return list4
	}
	return list6
}
