// SPDX-License-Identifier: BSD-3-Clause

// Package sbom says what a binary is made of: a software bill of materials in
// the form CycloneDX 1.6, and the licences that go with the binary.
//
// Both follow from what go build wrote into the binary, not from go.mod, which
// also names what only tests need.
package sbom

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Subject is the binary that a bill is about.
type Subject struct {
	Name, Version, Licence string
	Commit                 string
	OS, Arch               string
	Binary                 []byte
	Time                   time.Time
}

// The parts of a CycloneDX 1.6 document that are used, under their own names.
type (
	document struct {
		Format       string       `json:"bomFormat"`
		SpecVersion  string       `json:"specVersion"`
		SerialNumber string       `json:"serialNumber"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		Hashes     []hash     `json:"hashes,omitempty"`
		Licences   []licence  `json:"licenses"`
		PURL       string     `json:"purl"`
		Properties []property `json:"properties,omitempty"`
	}
	hash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	licence struct {
		Expression string `json:"expression"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn"`
	}
)

// Bill returns the bill of materials. It has no time but the source's and no
// chance in it: the same binary has the same bill.
func Bill(s *Subject, modules []Module) ([]byte, error) {
	sum256, sum512 := sha256.Sum256(s.Binary), sha512.Sum512(s.Binary)
	subject := component{
		Type: "application", Name: s.Name, Version: s.Version,
		PURL:     fmt.Sprintf("pkg:golang/%s@v%s?goarch=%s&goos=%s", s.Name, s.Version, s.Arch, s.OS),
		Hashes:   []hash{{"SHA-256", hex.EncodeToString(sum256[:])}, {"SHA-512", hex.EncodeToString(sum512[:])}},
		Licences: []licence{{s.Licence}},
		Properties: []property{
			{"traceflow:build:commit", s.Commit},
			{"traceflow:build:goos", s.OS},
			{"traceflow:build:goarch", s.Arch},
		},
	}
	subject.Ref = subject.PURL
	d := document{
		Format: "CycloneDX", SpecVersion: "1.6", SerialNumber: "urn:uuid:" + uuid(sum256), Version: 1,
		Metadata: metadata{Timestamp: s.Time.UTC().Format(time.RFC3339), Component: subject},
	}
	// go build records what is in the binary, not which part needs which.
	needs := dependency{Ref: subject.Ref, DependsOn: []string{}}
	for _, m := range modules {
		c := component{
			Type: "library", Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + m.Path + "@" + m.Version,
			Licences: []licence{{m.Licence}},
		}
		if m.Sum != "" {
			// A hash of hashes, so not one of Hashes, which are of files.
			c.Properties = []property{{"traceflow:go.sum", m.Sum}}
		}
		c.Ref = c.PURL
		d.Components = append(d.Components, c)
		d.Dependencies = append(d.Dependencies, dependency{Ref: c.Ref, DependsOn: []string{}})
		needs.DependsOn = append(needs.DependsOn, c.Ref)
	}
	d.Dependencies = append([]dependency{needs}, d.Dependencies...)
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // a purl has an ampersand
	e.SetIndent("", "  ")
	err := e.Encode(&d)
	return []byte(out.String()), err
}

// uuid makes one of version 8 (RFC 9562 section 5.8) from a hash.
func uuid(sum [sha256.Size]byte) string {
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
