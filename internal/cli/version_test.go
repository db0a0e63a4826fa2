// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuildData(t *testing.T) {
	const commit, date = "0123456789abcdef0123456789abcdef01234567", "2026-01-02T03:04:05Z"
	yes, no := true, false
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	repository := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{setting("vcs.revision", commit), setting("vcs.time", date), setting("vcs.modified", modified)}
	}
	told := func(commit, date string) string {
		return fmt.Sprintf("traceflow %s\ncommit    %s\ndate      %s\ngo        %s\nplatform  %s/%s\n",
			Version, commit, date, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	}
	tests := []struct {
		name         string
		settings     []debug.BuildSetting
		commit, date string // stamped
		want         buildData
		text         string
	}{
		{
			"nothing known", nil, "", "",
			buildData{},
			told("unknown", "unknown"),
		},
		{
			"a clean repository", repository("false"), "", "",
			buildData{Commit: commit, Date: date, Modified: &no},
			told(commit, date),
		},
		{
			"a modified repository", repository("true"), "", "",
			buildData{Commit: commit, Date: date, Modified: &yes},
			told(commit+", with changes", date),
		},
		{
			"stamped", nil, commit, date,
			buildData{Commit: commit, Date: date, Modified: &no},
			told(commit, date),
		},
		{
			"stamped, modified", nil, commit + "-modified", date,
			buildData{Commit: commit, Date: date, Modified: &yes},
			told(commit+", with changes", date),
		},
		{
			"the stamp goes first", repository("true"), "fedcba", "2025-01-01T00:00:00Z",
			buildData{Commit: "fedcba", Date: "2025-01-01T00:00:00Z", Modified: &no},
			told("fedcba", "2025-01-01T00:00:00Z"),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := newBuildData(&debug.BuildInfo{Settings: tt.settings}, tt.commit, tt.date)
			tt.want.Schema, tt.want.Version, tt.want.Go = "traceflow.version/1", Version, runtime.Version()
			tt.want.OS, tt.want.Arch = runtime.GOOS, runtime.GOARCH
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tt.text, got.String()); diff != "" {
				t.Errorf("text (-want +got)\n%s", diff)
			}
		})
	}
}

// TestVersionIsOfThisBinary compares what is printed with what the test knows
// of itself.
func TestVersionIsOfThisBinary(t *testing.T) {
	var got buildData
	if err := json.Unmarshal([]byte(traceSim(t, "version", "--json").out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != Version || got.Go != runtime.Version() || got.OS != runtime.GOOS || got.Arch != runtime.GOARCH {
		t.Errorf("got %+v", got)
	}
	if flag, command := traceSim(t, "--version").out, traceSim(t, "version").out; flag != command {
		t.Errorf("--version says %q, version %q", flag, command)
	}
}
