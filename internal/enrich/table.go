// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/netip"
	"os"
	"sort"
	"sync"
)

// cachedPages is how many pages a table keeps, 4 KiB each: the addresses of a
// trace lie close together.
const cachedPages = 128

// Table is a compiled table. It is safe for concurrent use.
type Table struct {
	header
	r     io.ReaderAt
	close func() error
	// firsts are the first keys of the pages of each list, sums the checksums of
	// all pages.
	firsts [lists][]byte
	sums   []byte
	// begins is the number of the first page of each list, and of the heap.
	begins [lists + 1]int
	count  int // of pages

	mu    sync.Mutex
	cache [cachedPages]page // by number modulo its size
}

// page is a page that was read: none, if there are no bytes.
type page struct {
	number int
	bytes  []byte
}

// openTable opens the file of a table.
func openTable(path string) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	t, err := newTable(f, info.Size())
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	t.close = f.Close
	return t, nil
}

// tableOf is a table in memory.
func tableOf(b []byte) (*Table, error) { return newTable(bytes.NewReader(b), int64(len(b))) }

// newTable reads the directory of a table of size bytes.
func newTable(r io.ReaderAt, size int64) (*Table, error) {
	first := make([]byte, headerSize)
	if _, err := r.ReadAt(first, 0); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errNoTable
		}
		return nil, err
	}
	h, sum, err := decodeHeader(first)
	if err != nil {
		return nil, err
	}
	// Before memory is taken for what the header says.
	if want := h.fileSize(); size != want {
		return nil, fmt.Errorf("the file has %d bytes where %d belong: it was cut short or altered", size, want)
	}
	directory := make([]byte, h.pagesAt()-headerSize)
	if _, err := r.ReadAt(directory, headerSize); err != nil {
		return nil, err
	}
	if checksum(directory) != sum {
		return nil, errDamaged
	}
	t := &Table{header: h, r: r, count: h.pages()}
	rest := directory
	for list, entries := range h.entries {
		n := pagesFor(list, entries)
		t.firsts[list], rest = rest[:n*keyWidths[list]], rest[n*keyWidths[list]:]
		t.begins[list+1] = t.begins[list] + n
	}
	t.sums = rest[:t.count*crc32.Size]
	return t, nil
}

// Close closes its file.
func (t *Table) Close() error {
	if t.close == nil {
		return nil
	}
	return t.close()
}

// page returns a page of the file, which is there until the next is asked for. The
// caller holds the mutex.
func (t *Table) page(number int) ([]byte, error) {
	if number < 0 || number >= t.count {
		return nil, errDamaged
	}
	slot := &t.cache[number%cachedPages]
	if slot.bytes != nil && slot.number == number {
		return slot.bytes, nil
	}
	b := slot.bytes
	if b == nil {
		b = make([]byte, pageSize)
	}
	*slot = page{} // until it is known to be good
	if _, err := t.r.ReadAt(b, t.pagesAt()+int64(number)*pageSize); err != nil {
		return nil, err
	}
	if checksum(b) != binary.BigEndian.Uint32(t.sums[number*crc32.Size:]) {
		return nil, errDamaged
	}
	*slot = page{number, b}
	return b, nil
}

// find returns the last entry of a list whose key is not above this one, on a page
// (see there).
func (t *Table) find(list int, key []byte) (found []byte, value uint32, err error) {
	width, firsts := keyWidths[list], t.firsts[list]
	n := sort.Search(len(firsts)/width, func(i int) bool {
		return bytes.Compare(firsts[i*width:][:width], key) > 0
	}) - 1
	if n < 0 {
		return nil, nothing, nil
	}
	b, err := t.page(t.begins[list] + n)
	if err != nil {
		return nil, 0, err
	}
	size := width + valueWidth
	i := sort.Search(t.entriesOn(list, n), func(i int) bool { return bytes.Compare(b[i*size:][:width], key) > 0 }) - 1
	if i < 0 { // the directory says otherwise
		return nil, 0, errDamaged
	}
	entry := b[i*size:][:size]
	return entry[:width], binary.BigEndian.Uint32(entry[width:]), nil
}

// heap returns the rest of the page of the heap from an offset on.
func (t *Table) heap(offset uint32) ([]byte, error) {
	b, err := t.page(t.begins[lists] + int(offset/pageSize))
	if err != nil {
		return nil, err
	}
	return b[offset%pageSize:], nil
}

// lookup returns what the table says of an address: nothing, if it is not there.
func (t *Table) lookup(address netip.Addr) (record, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, value, err := t.find(listOf(address), address.AsSlice())
	if err != nil || value == nothing {
		return record{}, err
	}
	b, err := t.heap(value)
	if err != nil {
		return record{}, err
	}
	r, err := decodeRecord(b)
	if err != nil {
		return record{}, err
	}
	if bits := address.BitLen(); r.originBits > uint8(bits) && r.originBits != unknownBits || r.lanBits > uint8(bits) && r.lanBits != unknownBits {
		return record{}, errDamaged
	}
	return r, nil
}

// asName returns what the table calls an AS, "" if it does not know it.
func (t *Table) asName(asn uint32) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := binary.BigEndian.AppendUint32(nil, asn)
	found, value, err := t.find(listNames, key)
	if err != nil || !bytes.Equal(found, key) {
		return "", err
	}
	b, err := t.heap(value)
	if err != nil {
		return "", err
	}
	d := decoder{b: b}
	name := d.text()
	if d.bad {
		return "", errDamaged
	}
	return name, nil
}

// verify reads everything: every page, and every record that a list points to.
func (t *Table) verify() error {
	for list := range lists {
		var last []byte
		for number := t.begins[list]; number < t.begins[list+1]; number++ {
			b, err := t.copyPage(number)
			if err != nil {
				return err
			}
			for i := range t.entriesOn(list, number-t.begins[list]) {
				key := b[i*(keyWidths[list]+valueWidth):][:keyWidths[list]]
				if last != nil && bytes.Compare(last, key) >= 0 {
					return errDamaged
				}
				last = key
				if err := t.verifyKey(list, key); err != nil {
					return err
				}
			}
		}
	}
	for number := t.begins[lists]; number < t.count; number++ {
		if _, err := t.copyPage(number); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) copyPage(number int) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, err := t.page(number)
	return bytes.Clone(b), err
}

// entriesOn is how many entries there are on the nth page of a list.
func (t *Table) entriesOn(list, n int) int {
	return min(perPage(list), int(t.entries[list])-n*perPage(list))
}

func (t *Table) verifyKey(list int, key []byte) error {
	if list == listNames {
		_, err := t.asName(binary.BigEndian.Uint32(key))
		return err
	}
	address, _ := netip.AddrFromSlice(key)
	_, err := t.lookup(address)
	return err
}
