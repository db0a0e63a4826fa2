// SPDX-License-Identifier: BSD-3-Clause

// Package image writes a container image of one layer, without a container
// engine, so that the same files make the same image anywhere.
//
// The archive is both an OCI image layout and what docker load reads. The
// program in it has the file capability cap_net_raw+p, which most ways to build
// an image lose: it is an extended attribute in the layer's tar archive.
package image

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"traceflow/packaging/archive"
)

// User is whom the program runs as: nobody, in numbers, because an engine that
// enforces a user who is not root cannot look names up.
const User = "65534:65534"

// Image is what an image is made of.
type Image struct {
	Name, Version, Title string
	Architecture         string // as GOARCH
	Revision             string // the commit
	Created              time.Time
	Entrypoint           []string
	Files                []archive.File // the root file system
}

// descriptor names a blob (OCI image specification, descriptor.md).
type descriptor struct {
	MediaType string    `json:"mediaType"`
	Digest    string    `json:"digest"`
	Size      int       `json:"size"`
	Platform  *platform `json:"platform,omitempty"`
	// Annotations are those of image specification, annotations.md.
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

// Media types of the OCI image specification, media-types.md.
const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// labels are the annotations of the OCI image specification.
func (i *Image) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       i.Name,
		"org.opencontainers.image.description": i.Title,
		"org.opencontainers.image.version":     i.Version,
		"org.opencontainers.image.revision":    i.Revision,
		"org.opencontainers.image.created":     i.created(),
		"org.opencontainers.image.licenses":    "BSD-3-Clause",
	}
}

func (i *Image) created() string { return i.Created.UTC().Format(time.RFC3339) }

// config is the image configuration (config.md) of a layer whose tar archive
// has this digest.
func (i *Image) config(layer string) any {
	type object = map[string]any
	return object{
		"created": i.created(), "architecture": i.Architecture, "os": "linux",
		"config": object{
			"User": User, "Entrypoint": i.Entrypoint, "WorkingDir": "/", "Labels": i.labels(),
			"Env": []string{"PATH=/usr/bin", "LANG=C.UTF-8"},
		},
		"rootfs":  object{"type": "layers", "diff_ids": []string{layer}},
		"history": []object{{"created": i.created(), "created_by": "traceflow/packaging/image"}},
	}
}

// blobs are the files of an image layout, and what they are named by.
type blobs []archive.File

func (b *blobs) add(mediaType string, data []byte) descriptor {
	sum := sha256.Sum256(data)
	*b = append(*b, archive.File{Name: "blobs/sha256/" + hex.EncodeToString(sum[:]), Mode: 0o644, Data: data})
	return descriptor{MediaType: mediaType, Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: len(data)}
}

func (b *blobs) addJSON(mediaType string, value any) (descriptor, error) {
	data, err := json.Marshal(value)
	return b.add(mediaType, data), err
}

// path is where a blob is in the layout.
func (d *descriptor) path() string { return "blobs/sha256/" + d.Digest[len("sha256:"):] }

// Write writes the image's archive.
func (i *Image) Write(w io.Writer) error {
	var layer, compressed bytes.Buffer
	if err := archive.Tar(&layer, i.Files, "", i.Created); err != nil {
		return fmt.Errorf("write layer: %w", err)
	}
	sum := sha256.Sum256(layer.Bytes())
	z, err := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(layer.Bytes()); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}

	var files blobs
	layerBlob := files.add(typeLayer, compressed.Bytes())
	config, err := files.addJSON(typeConfig, i.config("sha256:"+hex.EncodeToString(sum[:])))
	if err != nil {
		return err
	}
	manifest, err := files.addJSON(typeManifest, map[string]any{
		"schemaVersion": 2, "mediaType": typeManifest, "config": config, "layers": []descriptor{layerBlob}, "annotations": i.labels(),
	})
	if err != nil {
		return err
	}
	manifest.Platform = &platform{i.Architecture, "linux"}
	manifest.Annotations = map[string]string{"org.opencontainers.image.ref.name": i.Version}
	for name, value := range map[string]any{
		"oci-layout": map[string]string{"imageLayoutVersion": "1.0.0"},
		"index.json": map[string]any{"schemaVersion": 2, "mediaType": typeIndex, "manifests": []descriptor{manifest}},
		// What docker load looks for.
		"manifest.json": []map[string]any{{
			"Config": config.path(), "RepoTags": []string{i.Name + ":" + i.Version}, "Layers": []string{layerBlob.path()},
		}},
	} {
		data, err := json.Marshal(value)
		if err != nil {
			return err
		}
		files = append(files, archive.File{Name: name, Mode: 0o644, Data: data})
	}
	return archive.Tar(w, files, "", i.Created)
}
