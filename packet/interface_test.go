// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"traceflow/packet"
)

// interfaceNames are what routers call their interfaces, and what they might.
var interfaceNames = [][]byte{
	[]byte("eth0"), []byte("xe-0/0/1.100"), []byte("GigabitEthernet0/0/0/1"), []byte("Schnittstelle für München"),
	[]byte("a"), []byte("ab"), []byte("abc"), []byte(strings.Repeat("x", 63)),
	{0x1b, '[', '2', 'J'},
	{0xff, 0xfe},
	{'a', 0, 'b'},
}

func TestAppendInterfaceObject(t *testing.T) {
	tests := []struct {
		name   string
		info   packet.InterfaceInfo
		pieces []string
	}{
		{"a role alone", packet.InterfaceInfo{Role: packet.RoleNextHop}, []string{"0004 02 c0"}},
		{"an index", packet.InterfaceInfo{Index: 7}, []string{"0008 02 08", "00000007"}},
		{
			"an address of IPv4",
			packet.InterfaceInfo{Role: packet.RoleOutgoing, Address: routerV4},
			[]string{"000c 02 84", "0001 0000", hexRouterV4},
		},
		{
			"an address of IPv6",
			packet.InterfaceInfo{Role: packet.RoleIncomingSub, Address: hostV6},
			[]string{"0018 02 44", "0002 0000", hexHostV6},
		},
		{"a name that fills its words", packet.InterfaceInfo{Name: []byte("em0")}, []string{"0008 02 02", "04 656d30"}},
		{"a name that is padded", packet.InterfaceInfo{Name: []byte("eth0")}, []string{"000c 02 02", "08 65746830 000000"}},
		{"an MTU", packet.InterfaceInfo{MTU: 9192}, []string{"0008 02 01", "000023e8"}},
		{
			"all",
			packet.InterfaceInfo{Index: 0xffffffff, Address: routerV4, Name: []byte("eth0"), MTU: 1500},
			[]string{"001c 02 0f", "ffffffff", "0001 0000", hexRouterV4, "08 65746830 000000", "000005dc"},
		},
		{"an address of IPv4 in IPv6", packet.InterfaceInfo{Address: netip.AddrFrom16(routerV4.As16())}, []string{"000c 02 04", "0001 0000", hexRouterV4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			diff(t, "object", unhex(t, append([]string{"aa"}, tt.pieces...)...), packet.AppendInterfaceObject([]byte{0xaa}, &tt.info))
		})
	}
	mustPanic(t, func() { packet.AppendInterfaceObject(nil, &packet.InterfaceInfo{Name: make([]byte, 64)}) })
}

// interfacesOf are those of an extension structure that has these objects.
func interfacesOf(tb testing.TB, objects ...string) []packet.InterfaceInfo {
	tb.Helper()
	return packet.Extensions(packet.AppendExtensions(nil, unhex(tb, objects...))).AppendInterfaces(nil)
}

func TestExtensionsAppendInterfaces(t *testing.T) {
	index := packet.InterfaceInfo{Index: 7}
	tests := []struct {
		name    string
		objects []string
		want    []packet.InterfaceInfo
	}{
		{"no objects", nil, nil},
		{"another class", []string{"0008 01 08 00000007"}, nil},
		{"nothing but a role", []string{"0004 02 c0"}, nil},
		{"an index", []string{"0008 02 08 00000007"}, []packet.InterfaceInfo{index}},
		{"reserved bits set", []string{"0008 02 38 00000007"}, []packet.InterfaceInfo{index}},
		{"half an index", []string{"0006 02 08 0000"}, nil},
		{"an index of 0", []string{"0008 02 08 00000000"}, nil},
		{
			"behind labels and before them",
			[]string{"0008 01 01 05dc1b01", "0008 02 08 00000007", "0008 01 01 05dc1b01", "0008 02 88 00000008"},
			[]packet.InterfaceInfo{index, {Role: packet.RoleOutgoing, Index: 8}},
		},
		{
			"all",
			[]string{"0028 02 cf 00000007 0002 0000", hexHostV6, "08 65746830 000000 000005dc"},
			[]packet.InterfaceInfo{{Role: packet.RoleNextHop, Index: 7, Address: hostV6, Name: []byte("eth0"), MTU: 1500}},
		},
		{"an address of a family that is unknown", []string{"0014 02 0d 00000007 0003 0000", hexRouterV4, "000005dc"}, []packet.InterfaceInfo{index}},
		{"an address of the reserved family", []string{"0010 02 0c 00000007 0000 0000", hexRouterV4}, []packet.InterfaceInfo{index}},
		{"an address cut short", []string{"000e 02 0c 00000007 0001 0000 cb00"}, []packet.InterfaceInfo{index}},
		{"an address of IPv6 with 4 bytes", []string{"0010 02 0c 00000007 0002 0000", hexRouterV4}, []packet.InterfaceInfo{index}},
		{
			"an address of IPv4 in IPv6",
			[]string{"0020 02 0d 00000007 0002 0000 00000000 00000000 0000ffff", hexRouterV4, "000005dc"},
			[]packet.InterfaceInfo{{Index: 7, MTU: 1500}},
		},
		{"a name of no length", []string{"000c 02 0a 00000007 00 657468"}, []packet.InterfaceInfo{index}},
		{"an empty name and an MTU", []string{"0010 02 0b 00000007 04 000000 000005dc"}, []packet.InterfaceInfo{{Index: 7, MTU: 1500}}},
		{"a name without its length", []string{"0008 02 0a 00000007"}, []packet.InterfaceInfo{index}},
		{"a name longer than the object", []string{"000c 02 0a 00000007 08 657468"}, []packet.InterfaceInfo{index}},
		{
			"a name whose length is no multiple of 4",
			[]string{"0010 02 03 05 65746830 000000 000005dc"},
			[]packet.InterfaceInfo{{Name: []byte("eth0"), MTU: 1500}},
		},
		{
			"a name whose length does not count itself",
			[]string{"0010 02 03 04 65746830 000000 000005dc"},
			[]packet.InterfaceInfo{{Name: []byte("eth")}},
		},
		{
			"a name that is too long",
			[]string{"004c 02 03 44", strings.Repeat("61", 67), "000005dc"},
			[]packet.InterfaceInfo{{Name: bytes.Repeat([]byte("a"), 63), MTU: 1500}},
		},
		{"an MTU cut short", []string{"000a 02 09 00000007 05dc"}, []packet.InterfaceInfo{index}},
		{"bytes behind the MTU", []string{"0010 02 09 00000007 000005dc 00000000"}, []packet.InterfaceInfo{index}},
		{
			"more than there are roles",
			slices.Repeat([]string{"0008 02 08 00000007"}, 100),
			slices.Repeat([]packet.InterfaceInfo{index}, 16),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			diff(t, "interfaces", tt.want, interfacesOf(t, tt.objects...))
			before := []packet.InterfaceInfo{{MTU: 1}}
			x := packet.Extensions(packet.AppendExtensions(nil, unhex(t, tt.objects...)))
			diff(t, "interfaces behind another", slices.Concat(before, tt.want), x.AppendInterfaces(before))
		})
	}
}

// What routers may say comes back from behind a quote as it was said.
func TestInterfacesComeBack(t *testing.T) {
	for _, f := range families {
		for _, layout := range []packet.Layout{packet.CompliantLayout, packet.LegacyLayout} {
			for n, name := range interfaceNames {
				want := []packet.InterfaceInfo{
					{Role: packet.RoleIncoming, Index: uint32(n), Address: f.router, Name: name, MTU: 1500},
					{Role: packet.RoleOutgoing, Address: f.router},
					{Role: packet.RoleIncomingSub, Name: name},
				}
				objects := packet.AppendMPLSObject(nil, labels(2))
				for i := range want {
					objects = packet.AppendInterfaceObject(objects, &want[i])
				}
				b := packet.AppendICMPError(nil, f.router, f.host, timeExceeded(f.host), 0, 0,
					probe(f.host, f.target, 1, nil), packet.AppendExtensions(nil, objects), layout)
				e, err := packet.DecodeICMPError(b, f.router, f.host)
				if err != nil {
					t.Fatal(err)
				}
				diff(t, f.name+" interfaces", want, e.Extensions.AppendInterfaces(nil))
				diff(t, f.name+" labels", labels(2), e.Extensions.AppendMPLS(nil))
			}
		}
	}
}

func FuzzInterfaces(f *testing.F) {
	for _, name := range interfaceNames {
		f.Add(packet.AppendExtensions(nil, packet.AppendInterfaceObject(nil, &packet.InterfaceInfo{Role: 2, Index: 7, Address: hostV6, Name: name, MTU: 1500})))
	}
	f.Add(packet.AppendExtensions(nil, unhex(f, "0014 02 0d 00000007 0003 0000", hexRouterV4, "000005dc")))
	f.Add(packet.AppendExtensions(nil, unhex(f, "0010 02 03 04 65746830 000000 000005dc")))
	f.Add(packet.AppendExtensions(nil, unhex(f, "0008 02 0a 00000007")))
	f.Fuzz(func(t *testing.T, b []byte) {
		told := packet.Extensions(b).AppendInterfaces(nil)
		if len(told) > 16 {
			t.Fatalf("%d interfaces", len(told))
		}
		var objects []byte
		for i := range told {
			if len(told[i].Name) > 63 || told[i].Role > 3 || told[i].Address.Is4In6() {
				t.Fatalf("no interface: %+v", told[i])
			}
			objects = packet.AppendInterfaceObject(objects, &told[i])
		}
		again := packet.Extensions(packet.AppendExtensions(nil, objects))
		diff(t, "decoding of the encoding", told, again.AppendInterfaces(nil))
	})
}
