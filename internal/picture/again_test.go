// SPDX-License-Identifier: BSD-3-Clause

package picture_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"traceflow/internal/picture"
)

// TestAgain tests that a router that answers and then refuses to forward is
// joined with itself, by a dashed line.
func TestAgain(t *testing.T) {
	tests := []struct {
		name  string
		flows []string
		want  []string // inferred links
	}{
		{"refuses", []string{"1 2 2x", "1 3 d"}, []string{"2/198.51.100.2 3/198.51.100.2 1"}},
		{"answers twice and goes on, which is a link", []string{"1 2 2 d", "1 2 2 d"}, nil},
		{"answers on another path at the next TTL", []string{"1 2 d", "1 3 2 d"}, nil},
		{"not in a row", []string{"1 2 3 2 d"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			d := picture.Of(traceOf(t, tt.flows...))
			for i := range d.Links {
				if l := &d.Links[i]; l.Inferred {
					got = append(got, l.From+" "+l.To+" "+string(rune('0'+l.Flows)))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
