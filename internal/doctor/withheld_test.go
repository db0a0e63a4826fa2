// SPDX-License-Identifier: BSD-3-Clause

package doctor

import "testing"

func TestWithheld(t *testing.T) {
	for _, tt := range []struct {
		name  string
		facts rightsFacts
		want  string
	}{
		{"no container", rightsFacts{}, ""},
		{"container that gives it", rightsFacts{runtime: docker, permitted: true, bounding: true}, ""},
		{"container without it", rightsFacts{runtime: docker, file: true}, "docker run --cap-add=NET_RAW ..."},
		{"podman without it", rightsFacts{runtime: podman}, "podman run --cap-add=NET_RAW ..."},
		{
			"container without new privileges",
			rightsFacts{runtime: docker, file: true, bounding: true, noNewPrivs: true},
			"docker run --security-opt=no-new-privileges=false ...",
		},
		{"a file without a capability", rightsFacts{runtime: docker, bounding: true}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.facts.withheld(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
