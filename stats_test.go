// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ms = time.Millisecond

func TestSeries(t *testing.T) {
	tests := []struct {
		name string
		add  []time.Duration // negative: lost
		want RTTStats
	}{
		{name: "nothing sent"},
		{"only lost", []time.Duration{-1, -1}, RTTStats{Sent: 2}},
		{"one", []time.Duration{7 * ms}, RTTStats{
			Sent: 1, Replies: 1, Last: 7 * ms, Best: 7 * ms, Mean: 7 * ms, Worst: 7 * ms, Median: 7 * ms, P95: 7 * ms,
		}},
		{"some lost", []time.Duration{4 * ms, -1, 1 * ms, 7 * ms, -1}, RTTStats{
			Sent: 5, Replies: 3, Last: 7 * ms, Best: 1 * ms, Mean: 4 * ms, Worst: 7 * ms, Deviation: 3 * ms,
			Median: 4 * ms, P95: 7 * ms, Jitter: 4500 * time.Microsecond,
		}},
		{"a clock that went back", []time.Duration{0}, RTTStats{Sent: 1, Replies: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s Series
			for _, d := range tt.add {
				if d < 0 {
					s.Lost()
				} else {
					s.Answered(d)
				}
			}
			got := s.Stats()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(append([]time.Duration{}, tt.add...), s.Recent(Window)); diff != "" {
				t.Errorf("recent (-want +got)\n%s", diff)
			}
		})
	}
}

// TestSeriesForgets adds more than a series remembers: it counts all, and its
// percentiles are of the latest.
func TestSeriesForgets(t *testing.T) {
	var s Series
	for range 1000 {
		s.Answered(50 * ms)
	}
	for i := range Window {
		s.Answered(time.Duration(i+1) * ms)
	}
	got := s.Stats()
	want := RTTStats{
		Sent: 1000 + Window, Replies: 1000 + Window, Last: Window * ms, Best: 1 * ms, Worst: Window * ms,
		Median: Window / 2 * ms, P95: Window * 95 / 100 * ms, Jitter: 1 * ms,
		Mean: got.Mean, Deviation: got.Deviation,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if mean := (1000*50.0 + Window*(Window+1)/2) / (1000 + Window); got.Mean.Round(ms/100) != time.Duration(mean*float64(ms)).Round(ms/100) {
		t.Errorf("mean %v, want %v ms", got.Mean, mean)
	}
	if diff := cmp.Diff([]time.Duration{(Window - 1) * ms, Window * ms}, s.Recent(2)); diff != "" {
		t.Errorf("latest two (-want +got)\n%s", diff)
	}
}

// TestPathStats lays exchanges out by path and TTL: a packet that went beyond
// the end counts where it was answered, one that was not sent nowhere.
func TestPathStats(t *testing.T) {
	trace := sample(500)
	stats := trace.PathStats()
	if len(stats) != len(trace.Graph.Paths) {
		t.Fatalf("%d paths, want %d", len(stats), len(trace.Graph.Paths))
	}
	sent, replies := 0, 0
	for i, p := range stats {
		if p.Path != trace.Graph.Paths[i].ID || len(p.Hops) != len(trace.Graph.Paths[i].Nodes) {
			t.Errorf("path %d has %d hops, want those of %+v", p.Path, len(p.Hops), trace.Graph.Paths[i])
		}
		for j, h := range p.Hops {
			if h.Node != trace.Graph.Paths[i].Nodes[j] || h.Sent != len(h.Recent) {
				t.Errorf("hop %+v, want node %s", h, trace.Graph.Paths[i].Nodes[j])
			}
			if !h.IsValid() && h.Replies > 0 {
				t.Errorf("a silent hop answered: %+v", h)
			}
			sent += h.Sent
			replies += h.Replies
		}
	}
	wantReplies := 0
	for _, e := range trace.Exchanges {
		if e.Reply.Kind != NoReply {
			wantReplies++
		}
	}
	if replies != wantReplies || sent > len(trace.Exchanges)-1 || sent < replies {
		t.Errorf("%d sent, %d replies; want %d replies and at most %d sent", sent, replies, wantReplies, len(trace.Exchanges)-1)
	}
}

// TestSeriesWindow compares what a series says of its window, which it keeps up to
// date packet by packet, with what follows from the packets themselves.
func TestSeriesWindow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var s Series
	var all []time.Duration
	for i := range 3 * Window {
		d := time.Duration(random.IntN(50)) * time.Millisecond // few values, so that some are equal
		if lost := random.IntN(4) == 0 || i/Window == 1 && i%Window < 200; lost {
			d = -1
			s.Lost()
		} else {
			s.Answered(d)
		}
		all = append(all, d)
		window := all[max(0, len(all)-Window):]
		if diff := cmp.Diff(window, s.Recent(Window)); diff != "" {
			t.Fatalf("after %d packets (-want +got):\n%s", len(all), diff)
		}
		if diff := cmp.Diff(window[max(0, len(window)-7):], s.Recent(7)); diff != "" {
			t.Fatalf("the latest 7 of %d (-want +got):\n%s", len(all), diff)
		}
		answered := slices.DeleteFunc(slices.Clone(window), func(d time.Duration) bool { return d < 0 })
		if len(answered) < 2 {
			continue
		}
		var jitter time.Duration
		for i := 1; i < len(answered); i++ {
			jitter += (answered[i] - answered[i-1]).Abs()
		}
		got := s.Stats()
		want := got
		want.Jitter = jitter / time.Duration(len(answered)-1)
		slices.Sort(answered)
		want.Median, want.P95 = answered[(len(answered)+1)/2-1], answered[(95*len(answered)+99)/100-1]
		if got != want {
			t.Fatalf("after %d packets: %+v, want %+v", len(all), got, want)
		}
	}
}
