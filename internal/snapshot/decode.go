// SPDX-License-Identifier: BSD-3-Clause

package snapshot

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"traceflow"
)

// Why a file cannot be read. The error says more.
var (
	ErrForeign = errors.New("no snapshot of traceflow")
	ErrNewer   = errors.New("a newer traceflow wrote this")
	ErrCutOff  = errors.New("cut off")
	ErrAltered = errors.New("altered")
)

const (
	bufferSize = 256 << 10
	// largestRecord and largestFile are bytes, uncompressed: a pass of 256 flows
	// over 64 hops has about 10 MB. What somebody made up takes no more memory than
	// this.
	largestRecord = 64 << 20
	largestFile   = 4 << 30
	// mostObjects and mostInFile are JSON objects: three bytes of "{}," become some
	// hundred in memory. A pass of 256 flows over 64 hops has 50,000, and a manifest
	// one for each flow.
	mostObjects = 1 << 20
	mostInFile  = 1 << 24
)

// Open reads a file.
func Open(path string) (*Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Read reads a whole snapshot, compressed or not. The records are decoded on all
// cores. An error wraps ErrForeign, ErrNewer, ErrCutOff or ErrAltered, or says which
// record makes no sense.
func Read(in io.Reader) (*Snapshot, error) {
	lines, err := open(in)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{}
	if err := s.readManifest(lines); err != nil {
		return nil, lines.blame(err)
	}
	d := newDecoder(&s.Manifest)
	err = d.readRecords(lines)
	records, derr := d.wait()
	if err == nil {
		err = derr // a file that was altered is that first of all
	}
	if err != nil {
		return nil, err
	}
	return s, s.add(records)
}

// ReadManifest reads only what a file begins with. Nothing says then that the rest
// is as it was written.
func ReadManifest(in io.Reader) (*Manifest, error) {
	lines, err := open(in)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{}
	return &s.Manifest, s.readManifest(lines)
}

// open undoes the compression, if there is one.
func open(in io.Reader) (*lines, error) {
	b := bufio.NewReaderSize(in, bufferSize)
	head, err := b.Peek(2)
	switch {
	case len(head) == 0 && errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: it is empty", ErrCutOff)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case !bytes.Equal(head, []byte{0x1f, 0x8b}):
		return &lines{in: b}, nil
	}
	zip, err := gzip.NewReader(b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w before its first record", ErrCutOff)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	return &lines{in: bufio.NewReaderSize(zip, bufferSize)}, nil
}

// lines reads a file line by line, and no more than it should.
type lines struct {
	in   *bufio.Reader
	n    int // read so far
	size int64
	// objects are those of the line that is read, all those of all lines.
	objects, all int
	first        []byte // the first one
}

// next returns the next line with its end, in memory of its own; io.EOF after the
// last.
func (l *lines) next() ([]byte, error) {
	var line []byte
	l.objects = 0
	for {
		part, err := l.in.ReadSlice('\n')
		objects := bytes.Count(part, []byte("{"))
		l.size, l.objects, l.all = l.size+int64(len(part)), l.objects+objects, l.all+objects
		if len(line)+len(part) > largestRecord || l.size > largestFile || l.objects > mostObjects || l.all > mostInFile {
			return nil, fmt.Errorf("record %d is too large to be read", l.n+1)
		}
		line = append(line, part...)
		switch {
		case err == nil:
			l.n++
			return line, nil
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return nil, fmt.Errorf("%w after record %d", ErrCutOff, l.n)
		case errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader):
			return nil, fmt.Errorf("%w after record %d: %w", ErrAltered, l.n, err)
		}
		if _, corrupt := errors.AsType[flate.CorruptInputError](err); corrupt {
			return nil, fmt.Errorf("%w after record %d: %w", ErrAltered, l.n, err)
		}
		return nil, err
	}
}

// readManifest reads the first record.
func (s *Snapshot) readManifest(lines *lines) error {
	line, err := lines.next()
	if errors.Is(err, io.EOF) || errors.Is(err, ErrCutOff) {
		return fmt.Errorf("%w before the end of its first record, or %w", ErrCutOff, ErrForeign)
	}
	if err != nil {
		return err
	}
	lines.first = line
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return fmt.Errorf("%w: it does not begin with a record", ErrForeign)
	}
	switch {
	case head.Schema == Schema:
	case strings.HasPrefix(head.Schema, "traceflow.snapshot/"):
		return fmt.Errorf("schema %.40q: %w; this one reads %s, so update it", head.Schema, ErrNewer, Schema)
	case head.Schema == traceflow.Schema:
		return fmt.Errorf("%w: it is the result of a trace, which traceflow show reads", ErrForeign)
	default:
		return fmt.Errorf("%w: its schema is %.40q", ErrForeign, head.Schema)
	}
	if err := json.Unmarshal(line, &s.Manifest); err != nil {
		return fmt.Errorf("the manifest: %w", err)
	}
	return s.Manifest.check()
}

// blame says what is wrong with a file whose manifest makes no sense: if it ends as a
// snapshot does and the checksum differs, somebody has altered it.
func (l *lines) blame(err error) error {
	if errors.Is(err, ErrCutOff) || errors.Is(err, ErrAltered) || l.first == nil {
		return err
	}
	sum := sha256.New()
	for line := l.first; ; {
		sum.Write(line)
		next, nerr := l.next()
		if errors.Is(nerr, ErrAltered) {
			return nerr
		}
		if nerr != nil {
			return err
		}
		if last, ok := endOf(next); ok {
			if last.SHA256 != hex.EncodeToString(sum.Sum(nil)) {
				return fmt.Errorf("%w: the checksum differs", ErrAltered)
			}
			return err
		}
		line = next
	}
}

// record is one pass of one target.
type record struct {
	target, pass int
	trace        *traceflow.Trace
}

// decoder makes records of lines, on all cores.
type decoder struct {
	manifest *Manifest
	work     chan job
	wg       sync.WaitGroup

	mu      sync.Mutex // guards what follows
	records []record
	err     error // of the first record that makes no sense
	errAt   int
}

// job is a line to be decoded, and its number.
type job struct {
	line []byte
	n    int
}

func newDecoder(m *Manifest) *decoder {
	d := &decoder{manifest: m, work: make(chan job)}
	for range runtime.GOMAXPROCS(0) {
		d.wg.Go(func() {
			for j := range d.work {
				d.decode(j)
			}
		})
	}
	return d
}

// wait returns what was decoded, once nothing more is to come.
func (d *decoder) wait() ([]record, error) {
	close(d.work)
	d.wg.Wait()
	return d.records, d.err
}

func (d *decoder) decode(j job) {
	r, err := d.parse(j.line)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err == nil:
		d.records = append(d.records, r)
	case d.err == nil || j.n < d.errAt:
		d.err, d.errAt = fmt.Errorf("record %d: %w", j.n, err), j.n
	}
}

// failed reports whether decoding more has any use.
func (d *decoder) failed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err != nil
}

// parse reads one record.
func (d *decoder) parse(line []byte) (record, error) {
	var r record
	trace, ok := r.split(line)
	if ok = ok && r.decode(trace) == nil; !ok {
		// There are keys that are not known here, or it is wrong.
		var form struct {
			Target *int            `json:"target"`
			Pass   *int            `json:"pass"`
			Trace  json.RawMessage `json:"trace"`
		}
		if err := json.Unmarshal(line, &form); err != nil {
			return r, err
		}
		if form.Target == nil || form.Pass == nil || form.Trace == nil {
			return r, errors.New("it has no target, pass and trace")
		}
		r.target, r.pass = *form.Target, *form.Pass
		if err := r.decode(form.Trace); err != nil {
			return r, err
		}
	}
	if r.target < 0 || r.target >= len(d.manifest.Targets) || r.pass < 1 || r.pass > mostPasses {
		return r, fmt.Errorf("there is no pass %d of target %d", r.pass, r.target)
	}
	if to, want := r.trace.Destination.Address.String(), d.manifest.Targets[r.target].Address; to != want {
		return r, fmt.Errorf("it is a trace to %s, and target %d is %s", to, r.target, want)
	}
	return r, nil
}

// split reads the beginning of a record as it was written here. What follows the
// trace is the end of the record then; otherwise the trace is no JSON.
func (r *record) split(line []byte) (trace []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"target":`))
	for _, part := range []struct {
		to   *int
		then string
	}{{&r.target, `,"pass":`}, {&r.pass, `,"trace":`}} {
		digits := 0
		for digits < len(rest) && digits < 6 && rest[digits] >= '0' && rest[digits] <= '9' {
			*part.to = *part.to*10 + int(rest[digits]-'0')
			digits++
		}
		var found bool
		rest, found = bytes.CutPrefix(rest[digits:], []byte(part.then))
		ok = ok && digits > 0 && found
	}
	rest, closed := bytes.CutSuffix(bytes.TrimRight(rest, "\n"), []byte("}"))
	return rest, ok && closed
}

func (r *record) decode(trace []byte) error {
	r.trace = &traceflow.Trace{}
	return r.trace.UnmarshalJSON(trace)
}

// add puts records where they belong.
func (s *Snapshot) add(records []record) error {
	s.Targets = make([]Target, len(s.Manifest.Targets))
	for i := range s.Targets {
		s.Targets[i].TargetHead = s.Manifest.Targets[i]
	}
	slices.SortFunc(records, func(a, b record) int { return a.pass - b.pass })
	type place struct{ target, pass int }
	seen := make(map[place]bool, len(records))
	for _, r := range records {
		if seen[place{r.target, r.pass}] {
			return fmt.Errorf("pass %d of target %d is there twice", r.pass, r.target)
		}
		seen[place{r.target, r.pass}] = true
		s.Targets[r.target].Passes = append(s.Targets[r.target].Passes, r.trace)
	}
	s.Name(s.Manifest.Names)
	return nil
}
