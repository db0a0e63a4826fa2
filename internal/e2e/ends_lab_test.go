// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"traceflow"
)

// TestKernelEnds sends UDP and TCP to destinations that answer neither, one or
// both: whether each is reached, why, how far away and how it was found.
func TestKernelEnds(t *testing.T) {
	for _, tt := range []struct {
		name, protocol string
		code           int
		reason         traceflow.EndReason
		distance       int // of the destination, 0 if nothing finds it
	}{
		{"h", "--udp", 0, traceflow.ReasonOtherwise, 4},
		{"h", "--tcp", 0, traceflow.ReasonAnswered, 4},
		{"echo-only", "--udp", 0, traceflow.ReasonOtherwise, 4},
		{"echo-only", "--tcp", 0, traceflow.ReasonOtherwise, 4},
		{"tcp-open", "--udp", 0, traceflow.ReasonOtherwise, 4},
		{"tcp-open", "--tcp", 0, traceflow.ReasonAnswered, 4},
		{"drop-all", "--udp", 3, traceflow.ReasonSilent, 0},
		{"drop-all", "--tcp", 3, traceflow.ReasonSilent, 0},
		{"prohibited", "--udp", 3, traceflow.ReasonProhibited, 0},
		{"prohibited", "--tcp", 3, traceflow.ReasonProhibited, 0},
	} {
		t.Run(tt.name+"/"+tt.protocol[2:], func(t *testing.T) {
			t.Parallel() // it waits for answers that do not come
			onEveryWire(t, tt.name, func(t *testing.T, l *lab, family, wire, destination string) {
				if err := l.Do(allowPing); err != nil {
					t.Fatal(err)
				}
				o := l.run(t, wire == "sockets", "-j", "--seed", "1", family, "--wire", wire, tt.protocol, destination)
				trace := o.trace(t)
				if o.code != tt.code {
					t.Errorf("exit code %d, want %d; standard error:\n%s", o.code, tt.code, describeStderr(o.stderr))
				}
				var document struct {
					Reached   bool
					EndReason traceflow.EndReason `json:"end_reason"`
					Finish    *struct{ Flows []json.RawMessage }
				}
				if err := json.Unmarshal([]byte(o.stdout), &document); err != nil {
					t.Fatal(err)
				}
				if document.Reached != (tt.distance > 0) || document.EndReason != tt.reason {
					t.Errorf("reached %t, %s; want %t, %s", document.Reached, document.EndReason, tt.distance > 0, tt.reason)
				}
				searched := tt.reason == traceflow.ReasonOtherwise || tt.reason == traceflow.ReasonSilent
				if got := document.Finish != nil && len(document.Finish.Flows) > 0; got != searched {
					t.Errorf("looked for otherwise: %t, want %t", got, searched)
				}
				for i := range trace.Graph.Walks {
					w := &trace.Graph.Walks[i]
					if tt.distance > 0 && (!w.Reached() || w.Distance() != tt.distance) {
						t.Errorf("flow %d: %s at %d, want reached at %d", w.Flow.ID, w.End, w.Distance(), tt.distance)
					}
				}
				took := trace.Ended.Sub(trace.Started)
				// It takes 4 seconds; one packet in flight a flow, 12.
				limit := 15 * time.Second
				if wire == "sockets" && tt.protocol == "--tcp" {
					limit = 40 * time.Second
				}
				if took > limit {
					t.Errorf("took %v", took)
				}
				t.Logf("%s %s %s %s: %v, %d flows, %+v", tt.name, tt.protocol, family, wire, took, len(trace.Flows), trace.Stats)
			})
		})
	}
}

// TestKernelNothingHalfOpen traces open ports, and wants no connection of ours to
// be left at the destination, made or half made.
func TestKernelNothingHalfOpen(t *testing.T) {
	onEveryWire(t, "tcp-open", func(t *testing.T, l *lab, family, wire, destination string) {
		trace := l.run(t, wire == "sockets", "-j", "--rate", "0", family, "--wire", wire, "--tcp", "--paths", "64", destination).trace(t)
		answers := 0
		for i := range trace.Exchanges {
			if trace.Exchanges[i].Reply.Kind == traceflow.SynAck {
				answers++
			}
		}
		if answers < 64 {
			t.Fatalf("%d SYN-ACKs, want 64: nothing was opened", answers)
		}
		if left := noConnections(t, l); len(left) > 0 {
			t.Errorf("%d connections are left, the first of them %s", len(left), left[0])
		}
		// As a check of this test, one that was made is seen.
		var open net.Conn
		if err := l.Do(func() (err error) {
			open, err = net.Dial("tcp", net.JoinHostPort(destination, "443"))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if len(connections(t, l)) == 0 {
			t.Error("a connection that was made is not seen")
		}
		if err := errors.Join(open.(*net.TCPConn).SetLinger(0), open.Close()); err != nil {
			t.Error(err)
		}
		if left := noConnections(t, l); len(left) > 0 {
			t.Errorf("%s is left of a connection that was reset", left[0])
		}
	})
}

// noConnections waits until the destination has no connection, and returns those
// that it has after a while: resets may be on their way when the command has
// ended.
func noConnections(t *testing.T, l *lab) (left []string) {
	t.Helper()
	for range 50 {
		if left = connections(t, l); len(left) == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return left
}

// connections lists the sockets of the destination but for those that listen.
func connections(t *testing.T, l *lab) []string {
	t.Helper()
	const listening = "0A" // TCP_LISTEN (include/net/tcp_states.h)
	var out []string
	err := l.DoAt(l.Topology().Destination, func() error {
		listeners := 0
		for _, file := range []string{"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"} {
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(data)) {
				switch fields := strings.Fields(line); {
				case len(fields) < 4 || fields[0] == "sl":
				case fields[3] == listening:
					listeners++
				default:
					out = append(out, fmt.Sprintf("%s to %s in state %s", fields[1], fields[2], fields[3]))
				}
			}
		}
		if listeners == 0 {
			return errors.New("nothing listens at the destination: this is not its namespace")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
