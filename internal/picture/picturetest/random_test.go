// SPDX-License-Identifier: BSD-3-Clause

package picturetest_test

import (
	"testing"

	"traceflow/internal/picture"
	"traceflow/internal/picture/picturetest"
)

func TestRandom(t *testing.T) {
	for _, tt := range []struct{ stations, links int }{{100, 300}, {500, 1500}, {1000, 3000}} {
		d := picture.Of(picturetest.Random(tt.stations, tt.links))
		d.Fold(picture.Dense)
		if len(d.Nodes) != tt.stations || len(d.Links) != tt.links {
			t.Errorf("%d stations, %d links; want %d, %d", len(d.Nodes), len(d.Links), tt.stations, tt.links)
		}
	}
}
