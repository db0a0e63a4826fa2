// SPDX-License-Identifier: BSD-3-Clause

package snapshot_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"traceflow"
	"traceflow/internal/snapshot"
)

func encoded(t testing.TB, s *snapshot.Snapshot) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// text is a file as zcat shows it; packed is the other way.
func text(t testing.TB, file []byte) string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func packed(text string) []byte {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, _ = zip.Write([]byte(text))
	_ = zip.Close()
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	want := measured(t, 3, 4, 2)
	want.Manifest.Plan = json.RawMessage(`{"targets":[]}`)
	want.Manifest.Notes = []string{"2 passes of 3"}
	want.Manifest.Unknown = map[string]json.RawMessage{"zeal": json.RawMessage(`[1,{"a":null}]`), "colour": json.RawMessage(`"red"`)}
	want.Manifest.DataSets = []traceflow.DataSet{{Name: "ours", Kind: "prefixes", SHA256: "ab"}}
	file := encoded(t, want)
	for _, form := range [][]byte{file, []byte(text(t, file))} {
		got, err := snapshot.Read(bytes.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		addresses := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
		if diff := cmp.Diff(want, got, addresses, cmpopts.IgnoreUnexported(traceflow.Walk{}), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		// What an older version did not know is written back, byte by byte.
		if again := text(t, encoded(t, got)); again != text(t, file) {
			t.Error("written again, it is another file")
		}
	}
}

// Keys that are not known here do not hinder reading, wherever they stand.
func TestUnknownKeys(t *testing.T) {
	lines := strings.Split(text(t, encoded(t, measured(t, 1, 2, 2))), "\n")
	lines[1] = strings.Replace(lines[1], `{"target":0,`, `{"weather":{"wind":3},"target":0,`, 1)
	lines[2] = strings.TrimSuffix(lines[2], "}") + `,"after":[1]}`
	s, err := snapshot.Read(strings.NewReader(resealed(lines)))
	if err != nil || len(s.Targets[0].Passes) != 2 || len(s.Targets[0].Passes[1].Exchanges) == 0 {
		t.Fatalf("%v", err)
	}
}

func sum(text string) string {
	digest := sha256.Sum256([]byte(text))
	return hex.EncodeToString(digest[:])
}

// resealed puts lines together with an end that fits.
func resealed(lines []string) string {
	body := strings.Join(lines[:len(lines)-2], "\n") + "\n"
	return body + fmt.Sprintf(`{"end":{"records":%d,"sha256":"%s"}}`, len(lines)-2, sum(body)) + "\n"
}

func TestReadRefuses(t *testing.T) {
	whole := measured(t, 2, 2, 2)
	file := encoded(t, whole)
	plain := text(t, file)
	lines := strings.Split(plain, "\n")
	change := func(line int, from, to string) string {
		changed := append([]string(nil), lines...)
		if !strings.Contains(changed[line], from) {
			t.Fatalf("no %s in line %d", from, line)
		}
		changed[line] = strings.Replace(changed[line], from, to, 1)
		return resealed(changed)
	}
	flipped := bytes.Clone(file)
	flipped[len(flipped)-6] ^= 1 // of the checksum of the compression
	tests := []struct {
		name string
		file []byte
		is   error
		want string
	}{
		{"empty", nil, snapshot.ErrCutOff, "cut off: it is empty"},
		{"cut in the header", file[:5], snapshot.ErrCutOff, "cut off before its first record"},
		{"cut in the manifest", []byte(plain[:100]), snapshot.ErrCutOff, "cut off before the end of its first record"},
		{"cut", file[:len(file)/2], snapshot.ErrCutOff, "cut off after record "},
		{"cut before the end", packed(strings.Join(lines[:5], "\n") + "\n"), snapshot.ErrCutOff, "cut off after record 5"},
		{"cut in a record", packed(strings.Join(lines[:3], "\n") + "\n" + lines[3][:50]), snapshot.ErrCutOff, "cut off after record 3"},
		{"changed", packed(strings.Replace(plain, `"ttl":3`, `"ttl":4`, 1)), snapshot.ErrAltered, "altered: the checksum differs"},
		{"a record less", packed(strings.Join(append(append([]string(nil), lines[:2]...), lines[3:]...), "\n")), snapshot.ErrAltered, "altered: it has 4 records, and had 5"},
		{"something after the end", packed(plain + "{}\n"), snapshot.ErrAltered, "altered: something follows its end"},
		{"a bit of the compression", flipped, snapshot.ErrAltered, "altered after record"},
		{"changed in the manifest", packed(strings.Replace(plain, `"schema"`, `"shcema"`, 1)), snapshot.ErrAltered, "altered: the checksum differs"},
		{"an address of the manifest", packed(strings.Replace(plain, `"source":"198`, `"source":"x198`, 1)), snapshot.ErrAltered, "altered: the checksum differs"},
		{"the first letter", packed("x" + plain[1:]), snapshot.ErrAltered, "altered: the checksum differs"},
		{"newer, and changed", packed(strings.Replace(plain, "snapshot/1", "snapshot/2", 1)), snapshot.ErrAltered, "altered: the checksum differs"},
		{"newer, whole", packed(change(0, "snapshot/1", "snapshot/2")), snapshot.ErrNewer, "a newer traceflow wrote this"},
		{"newer", packed(`{"schema":"traceflow.snapshot/2"}` + "\n"), snapshot.ErrNewer, "a newer traceflow wrote this; this one reads traceflow.snapshot/1"},
		{"a trace", packed(`{"schema":"traceflow.trace/1"}` + "\n"), snapshot.ErrForeign, "it is the result of a trace"},
		{"something else", packed(`{"schema":"other"}` + "\n"), snapshot.ErrForeign, `its schema is "other"`},
		{"a letter", []byte("Dear user,\n"), snapshot.ErrForeign, "no snapshot of traceflow"},
		{"no such target", []byte(change(1, `"target":0`, `"target":2`)), nil, "record 2: there is no pass"},
		{"twice", []byte(change(2, lines[2], lines[1])), nil, "is there twice"},
		{"another destination", []byte(change(1, `"address":"203.0.113.`, `"address":"203.0.114.`)), nil, "it is a trace to 203.0.114."},
		{"no targets", []byte(change(0, `"targets":[`, `"targets":[],"x":[`)), nil, "the manifest has no targets"},
		{"no address", []byte(change(0, `"source":"198`, `"source":"x198`)), nil, "target 0: "},
		{"no trace", []byte(change(1, `"trace":`, `"trail":`)), nil, "record 2: it has no target, pass and trace"},
		{"wrong trace", []byte(change(1, `"protocol":"udp"`, `"protocol":"smoke"`)), nil, "record 2: read trace: unknown protocol"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := snapshot.Read(bytes.NewReader(tt.file))
			if err == nil || s != nil && tt.is != nil {
				t.Fatalf("read, %v", err)
			}
			if tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// A small file that is very large when it is not compressed, or in memory, takes
// little of it.
func TestBomb(t *testing.T) {
	manifest := strings.SplitAfterN(text(t, encoded(t, measured(t, 1, 1, 2))), "\n", 2)[0]
	tests := []struct {
		name, begin, repeat, want string
	}{
		{"zeros", manifest, "0", "record 2 is too large"},
		{"empty objects", manifest + `{"target":0,"pass":1,"trace":{"exchanges":[`, "{},", "record 2 is too large"},
		{"targets", strings.Replace(manifest, `"targets":[`, `"targets":[`+strings.Repeat("{},", 1<<20), 1), "", "record 1 is too large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var bomb bytes.Buffer
			zip, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = zip.Write([]byte(tt.begin))
			chunk := bytes.Repeat([]byte(tt.repeat), 1<<20)
			for range 80 {
				_, _ = zip.Write(chunk)
			}
			_ = zip.Close()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err = snapshot.Read(&bomb)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
			if taken := (after.TotalAlloc - before.TotalAlloc) >> 20; taken > 512 {
				t.Errorf("it took %d MiB", taken)
			}
		})
	}
}

// TestWriter: the name belongs to a whole file, the old one or the new one.
func TestWriter(t *testing.T) {
	s := measured(t, 2, 2, 2)
	tests := []struct {
		name  string
		write func(w *snapshot.Writer) error
		want  int // passes that are there; 0 is the file of before
	}{
		{"whole", func(w *snapshot.Writer) error {
			for pass := range 2 {
				for i := range s.Targets {
					if err := w.Add(i, pass+1, s.Targets[i].Passes[pass]); err != nil {
						return err
					}
				}
			}
			return w.Commit(&s.Manifest)
		}, 4},
		{"cut short", func(w *snapshot.Writer) error {
			if err := w.Add(1, 1, s.Targets[1].Passes[0]); err != nil {
				return err
			}
			return w.Commit(&s.Manifest)
		}, 1},
		{"given up", func(w *snapshot.Writer) error {
			err := w.Add(1, 1, s.Targets[1].Passes[0])
			w.Abort()
			return err
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "a.tfs")
			if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
				t.Fatal(err)
			}
			w, err := snapshot.Create(path, &s.Manifest)
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.write(w); err != nil {
				t.Fatal(err)
			}
			entries, err := os.ReadDir(folder)
			if err != nil || len(entries) != 1 {
				t.Errorf("%v are left, %v", entries, err)
			}
			if data, err := os.ReadFile(path); tt.want == 0 {
				if string(data) != "before" {
					t.Errorf("it holds %.20q, %v", data, err)
				}
				return
			}
			got, err := snapshot.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			passes := 0
			for i := range got.Targets {
				passes += len(got.Targets[i].Passes)
			}
			if passes != tt.want {
				t.Errorf("%d passes, want %d", passes, tt.want)
			}
		})
	}
}

// A file that cannot be written leaves what was there, and says which it is.
func TestWriteFileFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.tfs")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	err := snapshot.WriteFile(path, func(out io.Writer) error {
		_, _ = out.Write(bytes.Repeat([]byte("x"), 1<<20))
		return full
	})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), "write "+path) {
		t.Errorf("got %v", err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if data, _ := os.ReadFile(path); string(data) != "before" || len(entries) != 1 {
		t.Errorf("%.20q, %v, %v", data, entries, err)
	}
	if _, err := snapshot.Create(filepath.Join(path, "b"), &snapshot.Manifest{}); err == nil {
		t.Error("a file in a file")
	}
}

func TestNoise(t *testing.T) {
	s := measured(t, 1, 4, 2)
	passes := s.Targets[0].Passes
	clean := snapshot.Between(passes[0], passes[1])
	if clean.Compared != 4*12 || clean.Differing+clean.Silent+clean.Ends != 0 || clean.Flows != 4 || clean.Share() != 0 {
		t.Errorf("unchanged: %+v", clean)
	}
	walks := passes[1].Graph.Walks
	walks[0].Hops[2].Address = netip.MustParseAddr("192.0.2.1")
	walks[1].Hops[3] = traceflow.Reply{}
	walks[2].End = traceflow.EndSilent
	got := snapshot.NoiseOf(passes)
	want := snapshot.Noise{Compared: 4*12 - 1, Differing: 1, Silent: 1, Flows: 4, Ends: 1}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// FuzzRead wants an answer to anything, and what is read to be written and read
// again.
func FuzzRead(f *testing.F) {
	file := encoded(f, measured(f, 1, 1, 2))
	f.Add(file)
	f.Add([]byte(text(f, file)))
	f.Add(file[:len(file)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := snapshot.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := snapshot.Read(bytes.NewReader(encoded(t, s)))
		if err != nil || len(again.Targets) != len(s.Targets) {
			t.Errorf("written again: %v", err)
		}
	})
}

// FuzzRecords changes what a file says, and seals it again, so that its records are
// looked at.
func FuzzRecords(f *testing.F) {
	lines := strings.Split(text(f, encoded(f, measured(f, 1, 1, 2))), "\n")
	f.Add(lines[0], lines[1], lines[2])
	f.Fuzz(func(t *testing.T, manifest, one, two string) {
		s, err := snapshot.Read(strings.NewReader(resealed([]string{manifest, one, two, "", ""})))
		if err != nil {
			return
		}
		again, err := snapshot.Read(bytes.NewReader(encoded(t, s)))
		if err != nil || len(again.Targets) != len(s.Targets) {
			t.Errorf("written again: %v", err)
		}
	})
}
