// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is read quickly is what encoding/json reads, and whatever is not written as
// MarshalJSON does is left to it.
func TestQuickExchanges(t *testing.T) {
	tests := []struct {
		name, data string
		quick      bool
	}{
		{"none", `[]`, true},
		{"silence", `[{"flow":1,"ttl":3,"attempt":1,"sent_us":-12,"abandoned":true,"reply":null}]`, true},
		{"reply", `[{"flow":1,"ttl":3,"attempt":2,"sent_us":1042,"abandoned":false,"reply":{"kind":"time-exceeded","address":"2001:db8::7","rtt_us":8123,"icmp_type":11,"icmp_code":0,"reply_ttl":253,"quoted_ttl":null,"quoted_tos":0,"mpls":[{"label":16004,"tc":1,"bottom":true,"ttl":1}],"verified":false,"mtu_bytes":1400}},{"flow":2,"ttl":4,"attempt":1,"sent_us":1,"abandoned":false,"reply":null}]`, true},
		{"spaces", `[ {"flow":1} ]`, false},
		{"unknown key", `[{"flow":1,"colour":"red"}]`, false},
		{"another case", `[{"FLOW":1}]`, false},
		{"escape", `[{"flow":1,"reply":{"kind":"time\u002dexceeded"}}]`, false},
		{"unknown kind", `[{"flow":1,"reply":{"kind":"smoke"}}]`, false},
		{"error", `[{"flow":1,"sent_us":null,"error":"no buffer"}]`, false},
		{"fraction", `[{"flow":1.5}]`, false},
		{"exponent", `[{"flow":1e2}]`, false},
		{"too large a TTL", `[{"flow":1,"ttl":256}]`, false},
		{"too large", `[{"sent_us":99999999999999999999}]`, false},
		{"no list", `{"flow":1}`, false},
		{"null", `null`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, ok := quickExchanges([]byte(tt.data))
			if ok != tt.quick {
				t.Errorf("quick is %v", ok)
			}
			sameExchanges(t, []byte(tt.data))
		})
	}
}

func sameExchanges(t *testing.T, data []byte) {
	t.Helper()
	var got docExchanges
	var want []docExchange
	gotErr, wantErr := json.Unmarshal(data, &got), json.Unmarshal(data, &want)
	if (gotErr == nil) != (wantErr == nil) {
		t.Fatalf("got error %v, want %v", gotErr, wantErr)
	}
	if gotErr != nil {
		return
	}
	address := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	if diff := cmp.Diff(want, []docExchange(got), address); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzQuickExchanges(f *testing.F) {
	f.Add([]byte(`[{"flow":1,"ttl":3,"attempt":2,"sent_us":1042,"abandoned":false,"reply":{"kind":"time-exceeded","address":"2001:db8::7","rtt_us":8123,"icmp_type":11,"icmp_code":0,"reply_ttl":253,"quoted_ttl":null,"quoted_tos":0,"mpls":[{"label":16004,"tc":1,"bottom":true,"ttl":1}],"verified":false,"mtu_bytes":1400}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if json.Valid(data) {
			sameExchanges(t, data)
		}
	})
}
