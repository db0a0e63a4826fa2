// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package main

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"traceflow/internal/cli"
)

// TestImage loads the image into a Docker engine and runs it with and without
// the right to open raw sockets.
func TestImage(t *testing.T) {
	d := startDocker(t)
	const image = "traceflow:" + cli.Version
	if code, out, stderr := d.run(t, "load", "--input", made(t, "*.image.tar")); code != 0 || out != "Loaded image: "+image+"\n" {
		t.Fatalf("docker load: %d, %s%s", code, out, stderr)
	}

	_, out, _ := d.run(t, "image", "inspect", image)
	var about []struct {
		Size    int
		Created string
		Config  struct {
			User       string
			Entrypoint []string
			Labels     map[string]string
		}
	}
	if err := json.Unmarshal([]byte(out), &about); err != nil || len(about) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	const limit = 15_000_000
	if i := about[0]; i.Size > limit || i.Created != "2026-01-02T03:04:06Z" || i.Config.User != "65534:65534" ||
		i.Config.Labels["org.opencontainers.image.revision"] != testCommit {
		t.Errorf("the image is %+v", i)
	}
	t.Logf("the image has %d bytes", about[0].Size)

	if code, out, stderr := d.run(t, "run", "--rm", "--network=none", image, "version"); code != 0 || !strings.Contains(out, testCommit) || stderr != "" {
		t.Errorf("version: %d, %s%s", code, out, stderr)
	}
	if code, out, stderr := d.run(t, "run", "--rm", "--network=none", "--cap-drop=ALL", image); code != 2 || out != "" || !strings.Contains(stderr, "no destination given") {
		t.Errorf("no arguments: %d, %s%s", code, out, stderr)
	}

	strict := []string{"--cap-drop=ALL", "--read-only"}
	tests := []struct {
		name  string
		flags []string
		wire  string
	}{
		{"as Docker does", nil, "raw"},
		{"raw sockets", append([]string{"--cap-add=NET_RAW"}, strict...), "raw"},
		{"raw sockets on the host's network", append([]string{"--cap-add=NET_RAW", "--network=host"}, strict...), "raw"},
		{"another user", append([]string{"--cap-add=NET_RAW", "--user=1234:1234"}, strict...), "raw"},
		{"root", append([]string{"--cap-add=NET_RAW", "--user=0:0"}, strict...), "raw"},
		{"no capability", strict, "sockets"},
		{"no capability, and root", append([]string{"--user=0:0"}, strict...), "sockets"},
		{"no new privileges", append([]string{"--cap-add=NET_RAW", "--security-opt=no-new-privileges"}, strict...), "sockets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run := append([]string{"run", "--rm"}, tt.flags...)
			if !strings.Contains(strings.Join(tt.flags, " "), "--network") {
				run = append(run, "--network=none") // which has a loopback
			}
			run = append(run, image)
			for _, destination := range []string{"127.0.0.1", "::1"} {
				if destination == "::1" && !strings.Contains(strings.Join(run, " "), "host") {
					continue // without a network Docker gives the loopback no IPv6
				}
				code, out, stderr := d.run(t, append(run, "--json", destination)...)
				var trace struct {
					Reached bool
					Config  struct{ Wire string }
				}
				if err := json.Unmarshal([]byte(out), &trace); err != nil || code != 0 || !trace.Reached || trace.Config.Wire != tt.wire {
					t.Errorf("%s: exit code %d, %v, %+v, want wire %s: %s", destination, code, err, trace, tt.wire, stderr)
				}
				// What is missing is said, and only then.
				if says := strings.Contains(stderr, "without the right to open raw sockets"); says != (tt.wire != "raw") {
					t.Errorf("%s: says %q", destination, stderr)
				}
			}
			code, out, stderr := d.run(t, append(run, "--quiet", "--wire", "raw", "127.0.0.1")...)
			if tt.wire == "raw" && code != 0 || tt.wire != "raw" && (code != 4 || out != "" || strings.Count(stderr, "\n") != 1) {
				t.Errorf("--wire raw: exit code %d, %s%s", code, out, stderr)
			}
		})
	}
}

// TestDockerfile builds the image from the Dockerfile.
func TestDockerfile(t *testing.T) {
	d := startDocker(t)
	code, out, stderr := d.run(t, "build", "--file", "packaging/Dockerfile", "--build-arg", "TARGETARCH="+runtime.GOARCH, "--tag", "built", dist)
	if code != 0 {
		t.Fatalf("docker build: %d, %s%s", code, out, stderr)
	}
	code, out, stderr = d.run(t, "run", "--rm", "--network=none", "--cap-drop=ALL", "--cap-add=NET_RAW", "--read-only", "built",
		"--json", "--wire", "raw", "127.0.0.1")
	if code != 0 || !strings.Contains(out, `"wire": "raw"`) {
		t.Errorf("exit code %d, %s%s", code, out, stderr)
	}
}
