// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
	"github.com/oschwald/maxminddb-golang/v2/mmdbdata"
)

// mmdb is an MMDB file of any vendor. They call the same things by different
// names: see mmdbRecord.
type mmdb struct{ *maxminddb.Reader }

func openMMDB(path string) (*mmdb, error) {
	r, err := maxminddb.Open(path)
	if err != nil {
		return nil, mmdbError(err)
	}
	return &mmdb{r}, nil
}

func mmdbError(err error) error { return fmt.Errorf("no MMDB file that can be read: %w", err) }

// lookup returns what the file says of an address.
func (m *mmdb) lookup(address netip.Addr) (record, error) {
	if address.Is6() && m.Metadata.IPVersion == 4 {
		return record{}, nil
	}
	var r mmdbRecord
	if err := m.Lookup(address).Decode(&r); err != nil {
		return record{}, mmdbError(err)
	}
	return r.record(), nil
}

// date is when the file was made.
func (m *mmdb) date() time.Time {
	if m.Metadata.BuildEpoch == 0 || uint64(m.Metadata.BuildEpoch) > 1<<40 {
		return time.Time{}
	}
	return m.Metadata.BuildTime().UTC()
}

// survey reads every network and each record once. It returns the number of
// networks, and an error if the file is damaged or says nothing that is of use.
func (m *mmdb) survey() (int, error) {
	networks, leaves, useful := 0, uint(0), false
	decoded := make(map[uintptr]bool)
	for network := range m.Networks(maxminddb.IncludeNetworksWithoutData()) {
		if err := network.Err(); err != nil {
			return 0, mmdbError(err)
		}
		// A tree has one leaf more than nodes; what has more goes in circles.
		if leaves++; leaves > m.Metadata.NodeCount+1 {
			return 0, errors.New("no MMDB file that can be read: its tree is none")
		}
		if !network.Found() {
			continue
		}
		networks++
		if decoded[network.Offset()] || len(decoded) > maxRows {
			continue
		}
		decoded[network.Offset()] = true
		var r mmdbRecord
		if err := network.Decode(&r); err != nil {
			return 0, mmdbError(err)
		}
		rec := r.record()
		useful = useful || rec.groups() != 0
	}
	if !useful {
		return 0, fmt.Errorf("this MMDB file (%s) tells neither AS nor country nor city", quote(m.Metadata.DatabaseType))
	}
	return networks, nil
}

// mmdbRecord is what is known of a network, read from
//
//	MaxMind, DB-IP  autonomous_system_number, autonomous_system_organization (in
//	                some within traits), country.iso_code, city.names.en
//	IPinfo          asn ("AS64500"), as_name or name, country_code or country,
//	                city
type mmdbRecord struct {
	asn                    uint32
	asName, country, city  string
	countryCode, shortName string
}

func (r *mmdbRecord) record() record {
	out := record{originBits: unknownBits, country: country(r.countryCode), city: clean(r.city)}
	if out.country == "" {
		out.country = country(r.country)
	}
	if r.asn != 0 {
		out.asns, out.asName = []uint32{r.asn}, clean(r.asName)
		if out.asName == "" {
			out.asName = clean(r.shortName)
		}
	}
	return out
}

// maxMembers bounds the members of an object in an MMDB file.
const maxMembers = 1000

// eachMember calls value for the members of an object, which may read theirs.
// What is no object is passed over.
func eachMember(d *mmdbdata.Decoder, value func(key string) error) error {
	kind, err := d.PeekKind()
	if err != nil {
		return err
	}
	if kind != mmdbdata.KindMap {
		return d.SkipValue()
	}
	members, n, err := d.ReadMap()
	if err != nil {
		return err
	}
	if n > maxMembers {
		return errors.New("an object has too many members")
	}
	for key, err := range members {
		if err != nil {
			return err
		}
		if err := value(string(key)); err != nil {
			return err
		}
	}
	return nil
}

// UnmarshalMaxMindDB implements mmdbdata.Unmarshaler.
func (r *mmdbRecord) UnmarshalMaxMindDB(d *mmdbdata.Decoder) error { return r.members(d, true) }

func (r *mmdbRecord) members(d *mmdbdata.Decoder, top bool) error {
	return eachMember(d, func(key string) error {
		switch key {
		case "autonomous_system_number", "asn":
			return readASN(d, &r.asn)
		case "autonomous_system_organization", "as_name":
			return readText(d, &r.asName)
		case "name":
			return readText(d, &r.shortName)
		case "country_code":
			return readText(d, &r.countryCode)
		case "country":
			return readNamed(d, &r.country, "iso_code")
		case "city":
			return readNamed(d, &r.city, "names", "en")
		case "traits":
			if top {
				return r.members(d, false)
			}
		}
		return nil
	})
}

// readText reads a string; anything else is passed over.
func readText(d *mmdbdata.Decoder, out *string) error {
	kind, err := d.PeekKind()
	if err != nil || kind != mmdbdata.KindString {
		return err
	}
	*out, err = d.ReadString()
	return err
}

// readNamed reads a string, or the string that lies deeper in an object.
func readNamed(d *mmdbdata.Decoder, out *string, path ...string) error {
	kind, err := d.PeekKind()
	if err != nil || kind != mmdbdata.KindMap || len(path) == 0 {
		return errors.Join(err, readText(d, out))
	}
	return eachMember(d, func(key string) error {
		if key != path[0] {
			return nil
		}
		return readNamed(d, out, path[1:]...)
	})
}

// readASN reads a number, as a number or as text.
func readASN(d *mmdbdata.Decoder, out *uint32) error {
	kind, err := d.PeekKind()
	if err != nil {
		return err
	}
	switch kind {
	case mmdbdata.KindUint32:
		*out, err = d.ReadUint32()
	case mmdbdata.KindUint16:
		var n uint16
		n, err = d.ReadUint16()
		*out = uint32(n)
	case mmdbdata.KindUint64:
		var n uint64
		if n, err = d.ReadUint64(); n < 1<<32 {
			*out = uint32(n)
		}
	case mmdbdata.KindString:
		var s string
		if s, err = d.ReadString(); err == nil {
			// Otherwise it is not known: some write "" or "-".
			*out, _ = parseASN(strings.TrimSpace(s))
		}
	default: // no vendor's
	}
	return err
}

// mmdbLicence is the licence that goes with a type of file.
func mmdbLicence(m *maxminddb.Metadata) string {
	kind := strings.ToLower(m.DatabaseType)
	described := strings.ToLower(m.Description["en"])
	switch {
	case strings.Contains(kind+described, "ip2location"):
		return "IP2Location's terms" // its files call themselves GeoLite2
	case strings.HasPrefix(kind, "geolite"):
		return "GeoLite EULA"
	case strings.HasPrefix(kind, "geoip"):
		return "MaxMind's terms"
	case strings.HasPrefix(kind, "dbip-") && strings.Contains(kind, "lite"):
		return "CC BY 4.0 (DB-IP)"
	case strings.HasPrefix(kind, "dbip-"):
		return "DB-IP's terms"
	case strings.HasPrefix(kind, "ipinfo ") && (strings.Contains(kind, "lite") || strings.Contains(kind, "free")):
		return "CC BY-SA 4.0 (IPinfo)"
	case strings.HasPrefix(kind, "ipinfo "):
		return "IPinfo's terms"
	}
	return "unknown: ask its vendor"
}

// asName knows nothing: an MMDB file is sorted by address.
func (m *mmdb) asName(uint32) (string, error) { return "", nil }
