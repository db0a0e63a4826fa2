// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// Version is the version of this source: what --version prints and results
// record.
const Version = "0.1.0"

// What the linker writes into a release (-ldflags -X), which is built without
// looking at the version control system, so that it does not matter whether
// there is one. Empty in a build by go build, which looks.
var (
	stampedCommit string // and modifiedSuffix
	stampedDate   string // of the commit, RFC 3339, UTC
)

// modifiedSuffix follows a stamped commit that the source differs from.
const modifiedSuffix = "-modified"

// buildData says what a binary was built from, and for what. What is not known
// is left out.
type buildData struct {
	Schema   string `json:"schema"`
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Date     string `json:"date,omitempty"`     // of the commit, so that a build can be repeated
	Modified *bool  `json:"modified,omitempty"` // the source differed from the commit
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

// newBuildData reads what go build recorded; a stamp goes before it.
func newBuildData(info *debug.BuildInfo, commit, date string) buildData {
	settings := make(map[string]string, len(info.Settings))
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	b := buildData{
		Schema: "traceflow.version/1", Version: Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Commit: settings["vcs.revision"], Date: settings["vcs.time"],
	}
	modified := settings["vcs.modified"] == "true"
	if commit != "" {
		b.Commit, modified = strings.CutSuffix(commit, modifiedSuffix)
		b.Date = date
	}
	if b.Commit != "" {
		b.Modified = &modified
	}
	return b
}

// thisBuild is about this binary.
func thisBuild() buildData {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{} // built without modules
	}
	return newBuildData(info, stampedCommit, stampedDate)
}

// String is what --version prints.
func (b buildData) String() string {
	commit := cmp.Or(b.Commit, "unknown")
	if b.Modified != nil && *b.Modified {
		commit += ", with changes"
	}
	return fmt.Sprintf("traceflow %s\ncommit    %s\ndate      %s\ngo        %s\nplatform  %s/%s\n",
		b.Version, commit, cmp.Or(b.Date, "unknown"), b.Go, b.OS, b.Arch)
}

func newVersion(env Env) *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use:   "version [flags]",
		Short: "Print the version and what it was built from",
		Long: `traceflow version prints the version, the commit that it was built from and the
time of that commit, the version of Go, and the system that it was built for.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("version takes no arguments; to trace to a host of that name: traceflow trace version")
			}
			b := thisBuild()
			if !asJSON {
				fmt.Fprint(env.Out, b)
				return nil
			}
			e := json.NewEncoder(env.Out)
			e.SetIndent("", "  ")
			return e.Encode(b)
		},
	}
	c.Flags().BoolVarP(&asJSON, "json", "j", false, "as JSON")
	setUsage(c, usageWith(""))
	return c
}
