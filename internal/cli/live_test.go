// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"traceflow"
	"traceflow/probe"
)

// breaking is a wire that fails once so many packets have come back.
type breaking struct {
	probe.Wire
	left int
}

var errBroken = errors.New("the cable is out")

func (b *breaking) Recv(batch []traceflow.Datagram) (int, error) {
	n, err := b.Wire.Recv(batch)
	if b.left -= n; b.left < 0 {
		return 0, errBroken
	}
	return n, err
}

// TestLiveBreaks has the wire break under a live screen: while paths are looked
// for, and when they are measured. The screen is left, what was measured is
// returned, and so is the error.
func TestLiveBreaks(t *testing.T) {
	tests := []struct {
		name    string
		replies int
		stats   bool
	}{
		{"while it looks", 10, false},
		{"while it measures", 300, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, keyboard, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer keyboard.Close()
			defer in.Close()
			out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			o := &traceOptions{firstTTL: 1, maxTTL: 30, confidence: 0.95, guarantee: "pair", vary: "srcport", maxProbes: 10_000, retries: 2, sim: "b", seed: 1, queries: 1}
			o.udp, o.sourcePort, o.destinationPort = true, 33452, defaultUDPPort
			o.timeLimit, o.timeout, o.interval = seconds(time.Minute), seconds(time.Second), seconds(time.Millisecond)
			o.numeric = true
			o.given = func(string) bool { return false }
			target, err := simulatedTarget(o, nil)
			if err != nil {
				t.Fatal(err)
			}
			names, err := o.newAnnotator(Env{Err: &bytes.Buffer{}}, target.simulated)
			if err != nil {
				t.Fatal(err)
			}
			caps := probe.Capabilities{Kind: probe.KindSim, QuotedHeader: true}
			e, err := probe.NewEngine(&breaking{target.network.Open(), tt.replies}, caps, probe.Config{})
			if err != nil {
				t.Fatal(err)
			}
			env := Env{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Console: &Console{In: in, Out: out, Width: 80, Height: 24}}
			trace, stats, err := o.runLive(t.Context(), env, &target, &engine{Engine: e, caps: caps}, names)
			if !errors.Is(err, errBroken) {
				t.Errorf("error %v, want %v", err, errBroken)
			}
			if code, message := explain(err, "traceflow"); code != exitInternal || !strings.Contains(message, errBroken.Error()) || strings.Contains(message, "\n") {
				t.Errorf("exit code %d, %q", code, message)
			}
			if len(trace.Exchanges) == 0 || (stats != nil) != tt.stats {
				t.Errorf("%d exchanges, statistics %t, want %t", len(trace.Exchanges), stats != nil, tt.stats)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
