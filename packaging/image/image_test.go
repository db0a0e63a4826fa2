// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"traceflow/packaging/archive"
)

func example() *Image {
	return &Image{
		Name: "traceflow", Version: "1.2.3", Title: "finds paths", Architecture: "arm64", Revision: "0123abcd",
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Entrypoint: []string{"/usr/bin/traceflow"},
		Files: []archive.File{{
			Name: "usr/bin/traceflow", Mode: 0o755, Data: []byte("binary"),
			Attributes: map[string]string{CapabilityAttribute: NetRaw()},
		}},
	}
}

// members reads a tar archive.
func members(t *testing.T, r io.Reader) (map[string][]byte, map[string]*tar.Header) {
	t.Helper()
	data, headers := make(map[string][]byte), make(map[string]*tar.Header)
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return data, headers
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		data[h.Name], headers[h.Name] = content, h
	}
}

// TestWrite follows the image from both of its ends to the program.
func TestWrite(t *testing.T) {
	var b bytes.Buffer
	if err := example().Write(&b); err != nil {
		t.Fatal(err)
	}
	files, _ := members(t, &b)
	read := func(name string, into any) {
		t.Helper()
		if err := json.Unmarshal(files[name], into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	blob := func(d descriptor) string {
		t.Helper()
		sum := sha256.Sum256(files[d.path()])
		if "sha256:"+hex.EncodeToString(sum[:]) != d.Digest || d.Size != len(files[d.path()]) {
			t.Errorf("%s is %x and %d bytes, want %d", d.Digest, sum, len(files[d.path()]), d.Size)
		}
		return d.path()
	}
	var index struct{ Manifests []descriptor }
	read("index.json", &index)
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	read(blob(index.Manifests[0]), &manifest)
	var config struct {
		Architecture, OS, Created string
		Config                    struct {
			User       string
			Entrypoint []string
			Labels     map[string]string
		}
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	read(blob(manifest.Config), &config)
	if config.Architecture != "arm64" || config.OS != "linux" || config.Created != "2026-01-02T03:04:05Z" || config.Config.User != "65534:65534" ||
		!cmp.Equal(config.Config.Entrypoint, []string{"/usr/bin/traceflow"}) {
		t.Errorf("config is %+v", config)
	}
	if got := config.Config.Labels; got["org.opencontainers.image.version"] != "1.2.3" || got["org.opencontainers.image.revision"] != "0123abcd" {
		t.Errorf("labels are %v", got)
	}

	z, err := gzip.NewReader(bytes.NewReader(files[blob(manifest.Layers[0])]))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(layer); config.RootFS.DiffIDs[0] != "sha256:"+hex.EncodeToString(sum[:]) {
		t.Errorf("the layer is %x, want %s", sum, config.RootFS.DiffIDs[0])
	}
	content, headers := members(t, bytes.NewReader(layer))
	program := headers["usr/bin/traceflow"]
	if string(content["usr/bin/traceflow"]) != "binary" || program.Mode != 0o755 {
		t.Errorf("the program is %q, mode %o", content["usr/bin/traceflow"], program.Mode)
	}
	// getfattr -e hex of a file after setcap cap_net_raw+p.
	if got := hex.EncodeToString([]byte(program.PAXRecords["SCHILY.xattr.security.capability"])); got != "0000000200200000000000000000000000000000" {
		t.Errorf("the capability is %s", got)
	}

	// docker load's end leads to the same files.
	var docker []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	read("manifest.json", &docker)
	if len(docker) != 1 || docker[0].Config != manifest.Config.path() || docker[0].Layers[0] != manifest.Layers[0].path() ||
		strings.Join(docker[0].RepoTags, "") != "traceflow:1.2.3" {
		t.Errorf("manifest.json says %+v", docker)
	}
}

func TestWriteRepeats(t *testing.T) {
	var first, second bytes.Buffer
	if err := errors.Join(example().Write(&first), example().Write(&second)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same files make two images")
	}
}
