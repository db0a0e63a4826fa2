// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/oschwald/maxminddb-golang/v2"

	"traceflow/internal/enrich/enrichtest"
)

// mmdbBytes makes an MMDB file; without a 64-bit system it skips the test.
func mmdbBytes(t testing.TB, databaseType string, networks ...enrichtest.Network) []byte {
	t.Helper()
	b, err := enrichtest.MMDB(databaseType, networks...)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mmdbFile writes one.
func mmdbFile(t testing.TB, databaseType string, networks ...enrichtest.Network) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.mmdb")
	if err := os.WriteFile(path, mmdbBytes(t, databaseType, networks...), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMMDB(t *testing.T) {
	network := enrichtest.Network{Prefix: "192.0.2.0/24", ASN: 64500, ASName: "Example", Country: "DE", City: "Berlin"}
	six := network
	six.Prefix = "2001:db8::/32"
	full := record{asns: []uint32{64500}, asName: "Example", originBits: unknownBits, country: "DE", city: "Berlin"}
	tests := []struct {
		databaseType, licence, name string
	}{
		{"GeoLite2-City", "GeoLite EULA", "geolite2-city"},
		{"GeoIP2-Enterprise", "MaxMind's terms", "geoip2-enterprise"},
		{"DBIP-ASN-Lite (compat=GeoLite2-ASN)", "CC BY 4.0 (DB-IP)", "dbip-asn-lite"},
		{"DBIP-Location-ISP", "DB-IP's terms", "dbip-location-isp"},
		{"ipinfo bundle_location_lite.mmdb", "CC BY-SA 4.0 (IPinfo)", "ipinfo-bundle-location-lite"},
		{"ipinfo generic_asn_mmdb_v4.mmdb", "IPinfo's terms", "ipinfo-generic-asn-mmdb-v4"},
		{"Somebody else's", "unknown: ask its vendor", "somebody-else-s"},
		{"…", "unknown: ask its vendor", "mmdb"},
	}
	for _, tt := range tests {
		t.Run(tt.databaseType, func(t *testing.T) {
			db, err := openMMDB(mmdbFile(t, tt.databaseType, network, six))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for address, want := range map[string]record{
				"192.0.2.9": full, "2001:db8::1": full, "198.51.100.1": {originBits: unknownBits}, "::1": {originBits: unknownBits},
			} {
				got, err := db.lookup(netip.MustParseAddr(address))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, compareRecords); diff != "" {
					t.Errorf("%s: (-want +got)\n%s", address, diff)
				}
			}
			if got := mmdbLicence(&db.Metadata); got != tt.licence {
				t.Errorf("licence %s, want %s", got, tt.licence)
			}
			if got := nameFrom(db.Metadata.DatabaseType); got != tt.name || !ValidName(got) {
				t.Errorf("name %s, want %s", got, tt.name)
			}
			if got := db.date(); !got.Equal(enrichtest.Built) {
				t.Errorf("date %v, want %v", got, enrichtest.Built)
			}
			if n, err := db.survey(); n != 2 || err != nil {
				t.Errorf("%d networks (%v), want 2", n, err)
			}
		})
	}
}

// TestMMDBWithoutUse has records of something else.
func TestMMDBWithoutUse(t *testing.T) {
	db, err := openMMDB(mmdbFile(t, "GeoIP2-Anonymous-IP", enrichtest.Network{Prefix: "192.0.2.0/24"}))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.survey(); err == nil || !strings.Contains(err.Error(), `this MMDB file ("GeoIP2-Anonymous-IP") tells neither AS nor country nor city`) {
		t.Errorf("got %v", err)
	}
}

// TestMMDBCutShort wants that noticed at every length.
func TestMMDBCutShort(t *testing.T) {
	b := mmdbBytes(t, "GeoLite2-ASN", enrichtest.Network{Prefix: "192.0.2.0/24", ASN: 64500, ASName: "Example"})
	for n := 0; n < len(b); n += 5 {
		r, err := maxminddb.OpenBytes(b[:n])
		if err != nil {
			continue
		}
		if _, err := (&mmdb{r}).survey(); err == nil {
			t.Errorf("%d of %d bytes are accepted", n, len(b))
		}
	}
}

func FuzzMMDB(f *testing.F) {
	for _, databaseType := range []string{"GeoLite2-City", "ipinfo bundle_location_lite.mmdb"} {
		f.Add(mmdbBytes(f, databaseType,
			enrichtest.Network{Prefix: "192.0.2.0/24", ASN: 64500, ASName: "Example", Country: "DE", City: "Berlin"},
			enrichtest.Network{Prefix: "2001:db8::/32", ASN: 64501, ASName: "Two", Country: "FR"}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := maxminddb.OpenBytes(bytes.Clone(b))
		if err != nil {
			return
		}
		m := &mmdb{r}
		_, _ = m.survey()
		for _, a := range []string{"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "2001:db8::1"} {
			rec, err := m.lookup(netip.MustParseAddr(a))
			if err == nil && (len(rec.asName) > maxText || len(rec.city) > maxText || len(rec.country) > 2) {
				t.Errorf("%+v is beyond its bounds", rec)
			}
		}
		_ = m.date()
		if name := nameFrom(m.Metadata.DatabaseType); !ValidName(name) {
			t.Errorf("%q is no name", name)
		}
	})
}
