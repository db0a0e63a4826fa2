// SPDX-License-Identifier: BSD-3-Clause

//go:build !(386 || arm || mips || mipsle)

package enrichtest

import (
	"bytes"
	"fmt"
	"net"
	"strings"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// MMDB makes an MMDB file with the fields that go with its type: those of IPinfo
// if the type begins with "ipinfo", otherwise those of MaxMind and DB-IP.
func MMDB(databaseType string, networks ...Network) ([]byte, error) {
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		DatabaseType: databaseType, BuildEpoch: Built.Unix(), RecordSize: 28, IncludeReservedNetworks: true,
		Description: map[string]string{"en": "a fixture"},
	})
	if err != nil {
		return nil, err
	}
	fields := maxMind
	if strings.HasPrefix(databaseType, "ipinfo") {
		fields = ipInfo
	}
	for _, n := range networks {
		_, prefix, err := net.ParseCIDR(n.Prefix) // as the writer wants it
		if err != nil {
			return nil, err
		}
		if err := tree.Insert(prefix, fields(n)); err != nil {
			return nil, fmt.Errorf("%s: %w", n.Prefix, err)
		}
	}
	var b bytes.Buffer
	_, err = tree.WriteTo(&b)
	return b.Bytes(), err
}

func maxMind(n Network) mmdbtype.Map {
	m := mmdbtype.Map{}
	if n.ASN != 0 {
		m["autonomous_system_number"] = mmdbtype.Uint32(n.ASN)
		m["autonomous_system_organization"] = mmdbtype.String(n.ASName)
	}
	if n.Country != "" {
		m["country"] = mmdbtype.Map{"iso_code": mmdbtype.String(n.Country), "geoname_id": mmdbtype.Uint32(1)}
	}
	if n.City != "" {
		m["city"] = mmdbtype.Map{"names": mmdbtype.Map{"de": mmdbtype.String("Stadt"), "en": mmdbtype.String(n.City)}}
		m["location"] = mmdbtype.Map{"latitude": mmdbtype.Float64(52.5), "accuracy_radius": mmdbtype.Uint16(20)}
	}
	return m
}

func ipInfo(n Network) mmdbtype.Map {
	m := mmdbtype.Map{
		"country_code": mmdbtype.String(n.Country), "country": mmdbtype.String("A Country"), "continent_code": mmdbtype.String("EU"),
		"as_domain": mmdbtype.String("example.com"),
	}
	if n.ASN != 0 {
		m["asn"] = mmdbtype.String(fmt.Sprintf("AS%d", n.ASN))
		m["as_name"] = mmdbtype.String(n.ASName)
	}
	if n.City != "" {
		m["city"] = mmdbtype.String(n.City)
	}
	return m
}
