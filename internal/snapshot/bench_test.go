// SPDX-License-Identifier: BSD-3-Clause

package snapshot_test

import (
	"bytes"
	"testing"

	"traceflow/internal/snapshot"
)

// BenchmarkReadTwo is what reading costs a comparison: two files of 100 targets, 16
// flows, 2 passes and 12 hops.
func BenchmarkReadTwo(b *testing.B) {
	s := measured(b, 100, 16, 2)
	var file bytes.Buffer
	if err := s.Encode(&file); err != nil {
		b.Fatal(err)
	}
	s = nil
	b.ReportMetric(float64(file.Len()), "file-bytes")
	b.ResetTimer()
	for b.Loop() {
		var kept []*snapshot.Snapshot
		for range 2 {
			s, err := snapshot.Read(bytes.NewReader(file.Bytes()))
			if err != nil {
				b.Fatal(err)
			}
			kept = append(kept, s)
		}
		if len(kept[1].Targets) != 100 {
			b.Fatal("not read")
		}
	}
}
