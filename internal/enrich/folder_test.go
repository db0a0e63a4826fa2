// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"traceflow/internal/enrich/enrichtest"
)

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// files are those in the folder that someone should see.
func (f Folder) files(t testing.TB) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(string(f))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != ".lock" {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestAddFindsTheKind(t *testing.T) {
	asn := mmdbBytes(t, "GeoLite2-ASN", enrichtest.Network{Prefix: "192.0.2.0/24", ASN: 64500, ASName: "Example"})
	six := "64500\t2001:db8::/32\t1\n"
	tests := []struct {
		name string
		text string
		kind Kind
		set  string
		rows int
	}{
		{"riswhois", risText, KindRISWhois, "riswhois", 6},
		{"riswhois of IPv6, compressed", gzipped(t, "% x\n"+six), KindRISWhois, "riswhois-ipv6", 1},
		{"two compressed, one after the other", gzipped(t, six) + gzipped(t, "1\t192.0.2.0/24\t1\n"), KindRISWhois, "riswhois", 2},
		{"pfx2as", "192.0.2.0\t24\t64500\n", KindPfx2as, "pfx2as-ipv4", 1},
		{"pfx2as with spaces", "2001:db8:: 32 64500\n", KindPfx2as, "pfx2as-ipv6", 1},
		{"iptoasn", "192.0.2.0\t192.0.2.9\t64500\tDE\tX Y Z\n::\t::9\t64500\tDE\tX\n", KindIPToASN, "iptoasn", 2},
		{"peeringdb", "\n " + pdbDump, KindPeeringDB, "peeringdb", 5},
		{"prefixes", "# ours\nasn, prefix\n64500,192.0.2.0/24\n", KindPrefixes, "prefixes", 1},
		{"mmdb", string(asn), KindMMDB, "geolite2-asn", 1},
		{"mmdb, compressed", gzipped(t, string(asn)), KindMMDB, "geolite2-asn", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := Folder(filepath.Join(t.TempDir(), "deep", "er"))
			added, err := folder.Add(Addition{Files: given(t, map[string]string{"file": tt.text})})
			if err != nil {
				t.Fatal(err)
			}
			sets, err := folder.Sets()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(added, sets); diff != "" {
				t.Errorf("(-added +in the folder)\n%s", diff)
			}
			s := sets[0]
			if s.Kind != tt.kind || s.Name != tt.set || s.Rows != tt.rows || s.Licence == "" || s.Date.IsZero() || s.Added.IsZero() {
				t.Errorf("got %+v", s)
			}
			if err := folder.Verify(&s); err != nil {
				t.Errorf("verify: %v", err)
			}
			want := []string{s.File, manifestFile}
			slices.Sort(want)
			if diff := cmp.Diff(want, folder.files(t)); diff != "" {
				t.Errorf("files (-want +got)\n%s", diff)
			}
		})
	}
}

func TestAddRefuses(t *testing.T) {
	whole := gzipped(t, risText)
	asn := mmdbBytes(t, "GeoLite2-ASN", enrichtest.Network{Prefix: "192.0.2.0/24", ASN: 64500, ASName: "Example"})
	tests := []struct{ name, text, want string }{
		{"empty", "", "file: the file is empty"},
		{"blank", " \n\n", "file: the file is empty"},
		{"empty gzip", gzipped(t, ""), "file: the file is empty"},
		{"gzip cut short", whole[:len(whole)/2], "file: the gzip file ends in the middle: it was cut short"},
		{"gzip without its end", whole[:len(whole)-4], "file: the gzip file ends in the middle: it was cut short"},
		{"gzip altered", whole[:len(whole)-6] + "xxxxxx", "file: the gzip file is damaged"},
		{"gzip and something else", whole + "hello, this is no gzip", "file: the gzip file is damaged"},
		{"web page", "<!DOCTYPE html><html>", "file: a web page or XML, not a data set"},
		{"JSON of something else", `{"message": "please log in"}`, "file: " + errNotPeeringDB.Error()},
		{"JSON list", `[1, 2]`, "file: byte 1: [ where { belongs"},
		{"zip", "PK\x03\x04 ", "file: a zip archive; unpack it first"},
		{"tar", strings.Repeat("x", 257) + "ustar\x00", "file: a tar archive; unpack it first, and add the file in it"},
		{"binary", "\x7fELF\x02\x01\x01\x00\x00\x00", "file: no MMDB file that can be read: "},
		{"MMDB cut short", string(asn[:len(asn)-20]), "file: no MMDB file that can be read: "},
		{"text", "Dear user,\nhello\n", `file: of no kind that is known here: it begins with "Dear user,"`},
		{"only comments", "# a\n% b\n", "file: there are only comments in the beginning: say its --kind"},
		{"a list of prefixes", "192.0.2.0/24\n", `file: of no kind that is known here: it begins with "192.0.2.0/24"`},
		{"a wrong row", "64500\t192.0.2.0/24\t1\nx\n", "file: line 2: 1 fields where"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := Folder(t.TempDir())
			_, err := folder.Add(Addition{Files: given(t, map[string]string{"file": tt.text})})
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if files := folder.files(t); len(files) > 0 {
				t.Errorf("left: %v", files)
			}
		})
	}
	t.Run("kind", func(t *testing.T) {
		_, err := Folder(t.TempDir()).Add(Addition{Files: given(t, map[string]string{"file": risText}), Kind: KindMMDB})
		if err == nil || !strings.HasPrefix(err.Error(), "file: no MMDB file") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("folder", func(t *testing.T) {
		if _, err := Folder(t.TempDir()).Add(Addition{Files: []string{t.TempDir()}}); err == nil || !strings.Contains(err.Error(), "a directory; give the file in it") {
			t.Errorf("got %v", err)
		}
	})
}

func rows(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "64500\t10.0.%d.0/24\t1\n", i)
	}
	return b.String()
}

func TestAddTakesThePlaceOf(t *testing.T) {
	folder := Folder(t.TempDir())
	add := func(a Addition, texts ...string) error {
		for i, text := range texts {
			a.Files = append(a.Files, given(t, map[string]string{fmt.Sprintf("file%d", i): text})...)
		}
		_, err := folder.Add(a)
		return err
	}
	refuse := func(want string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	accept := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	accept(add(Addition{}, rows(100)))
	accept(add(Addition{}, rows(80)))
	refuse("63 rows, where the data set riswhois-ipv4 has 80 now: is it whole? --force replaces it", add(Addition{}, rows(63)))
	accept(add(Addition{}, rows(64)))
	accept(add(Addition{Force: true}, rows(3)))
	refuse("is of kind riswhois, and this is pfx2as", add(Addition{Name: "riswhois-ipv4"}, "192.0.2.0\t24\t1\n"))
	refuse("--name is for one data set", add(Addition{Name: "x"}, rows(1), "192.0.2.0\t24\t1\n"))
	refuse("would both be called riswhois-ipv4", add(Addition{}, rows(90), rows(91)))
	refuse("is no name", add(Addition{Name: "../x"}, rows(1)))
	accept(add(Addition{Name: "other"}, rows(1)))
	accept(add(Addition{}, "64500\t2001:db8::/32\t1\n", "192.0.2.0\t24\t1\n"))
	// All of them, or none: the second file cannot be read.
	refuse("line 1", add(Addition{}, "192.0.2.0\t24\t1\n192.0.2.0\t25\t1\n", "x\t192.0.2.0/24\t1\n"))

	var got []string
	sets, err := folder.Sets()
	accept(err)
	for _, s := range sets {
		got = append(got, fmt.Sprint(s.Name, " ", s.Rows))
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"other 1", "pfx2as-ipv4 1", "riswhois-ipv4 3", "riswhois-ipv6 1"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// Of what was replaced, nothing is left.
	if files := folder.files(t); len(files) != len(sets)+1 {
		t.Errorf("files: %v", files)
	}

	refuse(`there is no data set "no"; there are other, pfx2as-ipv4, riswhois-ipv4, riswhois-ipv6`, folder.Remove("other", "no"))
	accept(folder.Remove("other", "riswhois-ipv6"))
	if files := folder.files(t); len(files) != 3 {
		t.Errorf("files: %v", files)
	}
	refuse("there is none at all", Folder(filepath.Join(t.TempDir(), "none")).Remove("x"))
}

// TestAddJoinsFilesOfPeeringDB gives the answers of its API.
func TestAddJoinsFilesOfPeeringDB(t *testing.T) {
	folder := Folder(t.TempDir())
	paths := given(t, map[string]string{
		"ix.json":       `{"data": [{"id": 7, "name": "Example-IX", "proto_unicast": true}], "meta": {"generated": 1770000000}}`,
		"ixpfx.json":    `{"data": [{"id": 1, "ixlan_id": 7, "prefix": "198.51.100.0/24"}]}`,
		"net.json":      `{"data": [{"asn": 64501, "name": "Member"}]}`,
		"netixlan.json": `{"data": [{"id": 1, "ixlan_id": 7, "asn": 64501, "ipaddr4": "198.51.100.2"}]}`,
	})
	sets, err := folder.Add(Addition{Files: paths})
	if err != nil || len(sets) != 1 {
		t.Fatal(sets, err)
	}
	if s := sets[0]; len(s.Given) != 4 || s.Rows != 2 || !s.Date.Equal(time.Unix(1_770_000_000, 0)) {
		t.Errorf("got %+v", s)
	}
	// As cat and sha256sum would have it.
	var all []byte
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	h := newHash()
	h.Write(all)
	if sets[0].GivenSHA256 != digest(h) {
		t.Error("the checksum is not that of the files")
	}
}

func TestVerify(t *testing.T) {
	folder := folderWith(t)
	sets, err := folder.Sets()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sets {
		if err := folder.Verify(&s); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		b, err := os.ReadFile(folder.path(s.File))
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := os.WriteFile(folder.path(s.File), b, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := folder.Verify(&s); err == nil || !strings.Contains(err.Error(), "checksum") {
			t.Errorf("%s: altered: %v", s.Name, err)
		}
	}
}

// TestTwoWritersWaitForEachOther adds at the same time: every set is there.
func TestTwoWritersWaitForEachOther(t *testing.T) {
	folder := Folder(t.TempDir())
	var all sync.WaitGroup
	const writers = 8
	for i := range writers {
		paths := given(t, map[string]string{"file": rows(i + 1)})
		all.Go(func() {
			if _, err := folder.Add(Addition{Files: paths, Name: fmt.Sprintf("set%d", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	sets, err := folder.Sets()
	if err != nil || len(sets) != writers {
		t.Fatalf("%d sets (%v)", len(sets), err)
	}
	for _, s := range sets {
		if err := folder.Verify(&s); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
}

// TestWriteThatFails leaves nothing, and says it in one line.
func TestWriteThatFails(t *testing.T) {
	folder := t.TempDir()
	full := errors.New("no space left on device")
	_, err := writeTemporary(folder, io.MultiReader(strings.NewReader("begun"), iotest.ErrReader(full)))
	if !errors.Is(err, full) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	if files := Folder(folder).files(t); len(files) > 0 {
		t.Errorf("left: %v", files)
	}
}

// TestSweep removes what a writer that was killed left, and nothing else.
func TestSweep(t *testing.T) {
	folder := folderWith(t)
	before := folder.files(t)
	kept := []string{"notes.txt", "mine.mmdb", "x.table"}
	for _, name := range append(kept, ".new-1234.tmp", "old-0123456789ab.table", "old-0123456789ab.mmdb") {
		if err := os.WriteFile(folder.path(name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := folder.Add(Addition{Files: given(t, map[string]string{"f": "prefix,asn\n192.0.2.0/24,1\n"}), Name: "prefixes", Force: true}); err != nil {
		t.Fatal(err)
	}
	got := folder.files(t)
	if len(got) != len(before)+len(kept) {
		t.Errorf("got %v", got)
	}
	for _, name := range kept {
		if !slices.Contains(got, name) {
			t.Errorf("%s is gone", name)
		}
	}
}

func TestManifestIsNotTrusted(t *testing.T) {
	const sum = "0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab0123"
	set := func(name, kind, file string) string {
		return fmt.Sprintf(`{"schema": "traceflow.data/1", "sets": [{"name": %q, "kind": %q, "file": %q, "sha256": %q}]}`, name, kind, file, sum)
	}
	tests := []struct{ name, text, want string }{
		{"good", set("a", "mmdb", "a-0123456789ab.mmdb"), ""},
		{"no JSON", "{", "the file is damaged: "},
		{"something else", `{"a": 1}`, "not a manifest of traceflow"},
		{"of a later version", `{"schema": "traceflow.data/2"}`, `schema "traceflow.data/2" is of another version`},
		{"out of the folder", set("a", "mmdb", "../a-0123456789ab.mmdb"), `"../a-0123456789ab.mmdb" is no file of the data set a`},
		{"absolute", set("a", "mmdb", "/etc/passwd"), `"/etc/passwd" is no file of`},
		{"name out of the folder", set("../a", "mmdb", "../a-0123456789ab.mmdb"), `"../a" is no name of a data set`},
		{"name for a terminal", set("a\u202e", "mmdb", "x"), `"a\u202e" is no name of a data set`},
		{"kind", set("a", "zip", "a-0123456789ab.table"), "a is of a kind that this version does not know"},
		{"large", strings.Repeat(" ", maxManifest+1), "too large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseManifest([]byte(tt.text))
			if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"schema": "traceflow.data/1", "sets": [{"name": "a", "kind": "mmdb", "file": "a-0123456789ab.mmdb", "sha256": "0123456789ab"}]}`))
	plain := regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(b)
		if err != nil {
			return
		}
		for _, s := range m.Sets {
			if !plain.MatchString(s.Name) || strings.ContainsAny(s.File, `/\`) {
				t.Errorf("accepted: %+v", s)
			}
		}
	})
}

func TestDefaultFolder(t *testing.T) {
	root := os.Geteuid() == 0
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("LocalAppData", filepath.Join(home, "local"))
	own := filepath.Join(home, ".local", "share", "traceflow")
	if runtime.GOOS == "windows" {
		own = filepath.Join(home, "local", "traceflow")
	}
	machine := string(machineFolder())
	if !filepath.IsAbs(machine) {
		t.Errorf("%s is relative", machine)
	}
	elsewhere := filepath.Join(home, "elsewhere")
	for _, tt := range []struct{ name, data, xdg, want string }{
		{"neither", "", "", own},
		{"base directories", "", elsewhere, filepath.Join(elsewhere, "traceflow")},
		{"a relative one is ignored", "", "share", own},
		{"said", "/somewhere", elsewhere, "/somewhere"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("TRACEFLOW_DATA", tt.data)
			t.Setenv("XDG_DATA_HOME", tt.xdg)
			want := tt.want
			if root && tt.data == "" {
				want = machine
			}
			got, err := WritableFolder()
			if err != nil || string(got) != want {
				t.Errorf("got %s (%v), want %s", got, err, want)
			}
			// Read are the machine's only where there are no own ones.
			if got := DefaultFolder(); string(got) != want && string(got) != machine {
				t.Errorf("to read: %s, want %s", got, want)
			}
		})
	}
	if !root {
		t.Setenv("TRACEFLOW_DATA", "")
		t.Setenv("XDG_DATA_HOME", "")
		if got, err := ownFolder(); err != nil || string(got) != own {
			t.Errorf("got %s (%v), want %s", got, err, own)
		}
	}
	if !root && runtime.GOOS != "windows" { // a home of somebody else
		closed := filepath.Join(home, "closed")
		if err := os.Mkdir(closed, 0); err != nil {
			t.Fatal(err)
		}
		t.Setenv("XDG_DATA_HOME", closed)
		if got := DefaultFolder(); string(got) != machine {
			t.Errorf("got %s, want %s", got, machine)
		}
	}
	// Services have no home.
	for _, name := range []string{"TRACEFLOW_DATA", "XDG_DATA_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, "")
	}
	if got := DefaultFolder(); string(got) != machine {
		t.Errorf("without a home: %s, want %s", got, machine)
	}
}

func TestStale(t *testing.T) {
	now := time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		kind Kind
		days int
		want bool
	}{{KindMMDB, 14, false}, {KindMMDB, 15, true}, {KindPrefixes, 400, false}, {KindRISWhois, -1, false}} {
		s := Set{Kind: tt.kind, Date: now.AddDate(0, 0, -tt.days)}
		if got := s.Stale(now); got != tt.want {
			t.Errorf("%s of %d days: %t", tt.kind, tt.days, got)
		}
	}
}

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "riswhois-ipv4": true, "A.b_c": true, "": false, ".": false, "..": false, "a..b": false, "-a": false, "a-": false,
		"a/b": false, `a\b`: false, "a b": false, "é": false, strings.Repeat("a", maxName): true, strings.Repeat("a", maxName+1): false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}
