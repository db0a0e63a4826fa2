// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"net/netip"
	"testing"

	"traceflow"
)

// BenchmarkAnnotate asks sets of all kinds for one address after another.
func BenchmarkAnnotate(b *testing.B) {
	store := OpenStore(folderWith(b))
	defer store.Close()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		var a traceflow.Annotation
		store.Annotate(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), &a)
		i++
	}
}

// BenchmarkOpenStore opens them.
func BenchmarkOpenStore(b *testing.B) {
	folder := folderWith(b)
	for b.Loop() {
		if err := OpenStore(folder).Close(); err != nil {
			b.Fatal(err)
		}
	}
}
