// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"traceflow/probe"
)

func TestSystemOf(t *testing.T) {
	tests := []struct {
		name   string
		wires  string
		permit string
		remedy string
	}{
		{
			"linux", "auto raw sockets",
			"run as root, once sudo setcap cap_net_raw+p /usr/bin/traceflow, or use --wire sockets",
			"; for these, run as root or once: sudo setcap cap_net_raw+p /usr/bin/traceflow",
		},
		{"darwin", "auto raw sockets", "run with sudo, or use --wire sockets", ""},
		{"windows", "auto raw handles", "run as Administrator, or use --wire handles", "; for these, run as Administrator"},
		{"freebsd", "auto raw", "run as root", ""},
		{"openbsd", "auto raw", "run as root", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := systemOf(tt.name, "/usr/bin/traceflow")
			if got := strings.Join(s.wires, " "); got != tt.wires || s.permit != tt.permit || s.remedy != tt.remedy {
				t.Errorf("got %q, %q, %q", got, s.permit, s.remedy)
			}
			if s.routes == "" || s.addresses == "" || s.resolver == "" || s.labels != (tt.name == "linux") {
				t.Errorf("got %+v", s)
			}
		})
	}
}

// TestWiresHere wants every wire of the table to be one that package probe
// knows here, and no other.
func TestWiresHere(t *testing.T) {
	for _, wire := range []string{"auto", "raw", "sockets", "handles"} {
		w, _, err := probe.Open(probe.Kind(wire), probe.Options{})
		if w != nil {
			defer w.Close()
		}
		known := !errors.Is(err, errors.ErrUnsupported)
		if want := slices.Contains(here().wires, wire); known != want {
			t.Errorf("%s on %s: %v, but in the table: %v", wire, runtime.GOOS, err, want)
		}
	}
}
