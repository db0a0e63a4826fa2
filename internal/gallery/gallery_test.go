// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"testing"
	"testing/synctest"

	"traceflow/internal/cli"
)

// TestNetworksShow tests, without a browser, that the networks in memory show
// what the captions say. Those of kernels are tested when the gallery is made.
func TestNetworksShow(t *testing.T) {
	for _, n := range networks {
		if n.kernel {
			continue
		}
		t.Run(n.name, func(t *testing.T) {
			topology, err := n.file(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if err := n.check(simulate(t, n.simulated(topology))); err != nil {
				t.Error(err)
			}
		})
	}
}

// simulate runs the command where waiting takes no time.
func simulate(t *testing.T, args []string) []byte {
	t.Helper()
	var out, trouble bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		env := cli.Env{Out: &out, Err: &trouble, DropPrivileges: func() error { return nil }}
		if code := cli.Run(t.Context(), env, args); code != 0 && code != notReached {
			t.Fatalf("exit code %d: %s", code, &trouble)
		}
	})
	return out.Bytes()
}

// TestCheck tests that a network that shows something else is found out.
func TestCheck(t *testing.T) {
	n := &network{name: "silent", topology: "silent"}
	result := simulate(t, n.simulated("silent"))
	tests := []struct {
		name  string
		shows shows
		good  bool
	}{
		{"as it is", shows{paths: 3, forks: []string{"r1 into 3"}, silent: []string{"TTL 2", "TTL 4", "TTL 5", "TTL 7"}}, true},
		{"another path", shows{paths: 4, forks: []string{"r1 into 3"}, silent: []string{"TTL 2", "TTL 4", "TTL 5", "TTL 7"}}, false},
		{"another fork", shows{paths: 3, forks: []string{"r1 into 4"}, silent: []string{"TTL 2", "TTL 4", "TTL 5", "TTL 7"}}, false},
		{"no silence", shows{paths: 3, forks: []string{"r1 into 3"}}, false},
		{"a slow link", shows{paths: 3, forks: []string{"r1 into 3"}, slow: []string{"r1 → a1"}, silent: []string{"TTL 2", "TTL 4", "TTL 5", "TTL 7"}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n.shows = tt.shows
			if err := n.check(result); (err == nil) != tt.good {
				t.Errorf("check says %v", err)
			}
		})
	}
}
