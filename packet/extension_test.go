// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"slices"
	"testing"

	"traceflow/packet"
)

func TestAppendExtensions(t *testing.T) {
	tests := []struct {
		name    string
		objects []byte
		pieces  []string
	}{
		{"no objects", nil, []string{"2000 dfff"}},
		{
			"one label",
			packet.AppendMPLSObject(nil, []packet.LabelStackEntry{{Label: 24001, TC: 5, Bottom: true, TTL: 1}}),
			[]string{
				/* version, checksum           */ "2000 be19",
				/* length, class, type         */ "0008 01 01",
				/* 24001 in 20 bits, 5, 1 | 1  */ "05dc1 b 01",
			},
		},
		{
			"two labels and an object of another class",
			packet.AppendObject(
				packet.AppendMPLSObject(nil, []packet.LabelStackEntry{{Label: 16, TTL: 254}, {Label: 1048575, TC: 7, Bottom: true, TTL: 255}}),
				packet.Object{Class: packet.ClassInterface, CType: 0x40, Payload: unhex(t, "00000007")},
			),
			[]string{
				/* version, checksum           */ "2000 dba4",
				/* length, class, type         */ "000c 01 01",
				/* 16, 0, 0 | 254              */ "00010 0 fe",
				/* all ones                    */ "fffff f ff",
				/* length, class, type, ifIndex */ "0008 02 40 00000007",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			diff(t, "bytes", unhex(t, append([]string{"aa"}, tt.pieces...)...), packet.AppendExtensions([]byte{0xaa}, tt.objects))
		})
	}
}

// A structure must not look as if it had no checksum.
func TestAppendExtensionsNeverWritesZero(t *testing.T) {
	b := packet.AppendExtensions(nil, packet.AppendObject(nil, packet.Object{Class: 9, Payload: unhex(t, "0000")}))
	// What is missing to 0xffff, in the last two bytes.
	b = packet.AppendExtensions(nil, packet.AppendObject(nil, packet.Object{Class: 9, Payload: b[2:4]}))
	diff(t, "structure", unhex(t, "2000 ffff 0006 0900 d6f9"), b)
	diff(t, "checksum", uint16(0), packet.Checksum(b))
}

func TestAppendMPLSObjectCutsFields(t *testing.T) {
	got := packet.AppendMPLSObject(nil, []packet.LabelStackEntry{{Label: 0xfff00001, TC: 0xfa, TTL: 1}})
	diff(t, "object", unhex(t, "0008 01 01 00001 4 01"), got)
}

func TestAppendObjectPanics(t *testing.T) {
	mustPanic(t, func() { packet.AppendObject(nil, packet.Object{Payload: make([]byte, 65532)}) })
	mustPanic(t, func() { packet.AppendMPLSObject(nil, make([]packet.LabelStackEntry, 16383)) })
	packet.AppendObject(nil, packet.Object{Payload: make([]byte, 65531)})
	packet.AppendMPLSObject(nil, make([]packet.LabelStackEntry, 16382))
}

func TestExtensionsAppendMPLS(t *testing.T) {
	one := packet.LabelStackEntry{Label: 24001, TC: 5, Bottom: true, TTL: 1}
	tests := []struct {
		name   string
		pieces []string
		want   []packet.LabelStackEntry
	}{
		{"none", nil, nil},
		{"half a header", []string{"2000"}, nil},
		{"no objects", []string{"2000 0000"}, nil},
		{"an object without labels", []string{"2000 0000", "0004 01 01"}, nil},
		{"one label", []string{"2000 0000", "0008 01 01 05dc1b01"}, []packet.LabelStackEntry{one}},
		{"another class", []string{"2000 0000", "0008 02 01 05dc1b01"}, nil},
		{"another type", []string{"2000 0000", "0008 01 02 05dc1b01"}, nil},
		{
			"behind another class",
			[]string{"2000 0000", "0006 02 01 abcd", "0008 01 01 05dc1b01"},
			[]packet.LabelStackEntry{one},
		},
		{
			"two objects",
			[]string{"2000 0000", "0008 01 01 05dc1b01", "0008 01 01 00000000"},
			[]packet.LabelStackEntry{one, {}},
		},
		{"a label and a half", []string{"2000 0000", "000a 01 01 05dc1b01 05dc"}, []packet.LabelStackEntry{one}},
		// What follows is not to be had from a decoder, but from a caller.
		{"an object that ends too late", []string{"2000 0000", "0008 01 01 05dc1b01", "0009 01 01 05dc1b01"}, []packet.LabelStackEntry{one}},
		{"an object that has no length", []string{"2000 0000", "0008 01 01 05dc1b01", "0000 01 01 05dc1b01"}, []packet.LabelStackEntry{one}},
		{"half an object header", []string{"2000 0000", "0008 01 01 05dc1b01", "0004"}, []packet.LabelStackEntry{one}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := packet.Extensions(unhex(t, tt.pieces...))
			diff(t, "labels", tt.want, x.AppendMPLS(nil))
			before := []packet.LabelStackEntry{{Label: 1}}
			diff(t, "labels behind another", slices.Concat(before, tt.want), x.AppendMPLS(before))
		})
	}
}

func TestExtensionsObjects(t *testing.T) {
	want := []packet.Object{
		{Class: packet.ClassMPLS, CType: packet.CTypeMPLSIncoming, Payload: unhex(t, "05dc1b01")},
		{Class: packet.ClassInterface, CType: 0x0a, Payload: unhex(t, "00000007 0465746830303030")},
		{Class: packet.ClassInterfaceIdentification, CType: 2},
	}
	var objects []byte
	for _, o := range want {
		objects = packet.AppendObject(objects, o)
	}
	x := packet.Extensions(packet.AppendExtensions(nil, objects))
	diff(t, "objects", want, slices.Collect(x.Objects()))
	for o := range x.Objects() {
		diff(t, "the first object", want[0], o)
		break
	}
	for o := range packet.Extensions(nil).Objects() {
		t.Errorf("an object of nothing: %v", o)
	}
}

func FuzzExtensions(f *testing.F) {
	f.Add([]byte(mpls(1)))
	f.Add([]byte(mpls(8)))
	f.Add(packet.AppendExtensions(nil, packet.AppendObject(packet.AppendMPLSObject(nil, labels(2)), packet.Object{Class: 2, CType: 1, Payload: []byte("eth0")})))
	f.Add(unhex(f, "2000 0000 0008 01 01 05dc1b01 0009 01 01 05dc1b01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		x := packet.Extensions(b)
		// Written again from what it yields, it yields the same.
		var objects []byte
		var stack []packet.LabelStackEntry
		var fromObjects []packet.LabelStackEntry
		for o := range x.Objects() {
			objects = packet.AppendObject(objects, o)
			if o.Class == packet.ClassMPLS && o.CType == packet.CTypeMPLSIncoming {
				one := packet.Extensions(packet.AppendExtensions(nil, packet.AppendObject(nil, o)))
				stack = one.AppendMPLS(stack[:0])
				fromObjects = append(fromObjects, stack...)
				if len(o.Payload)%4 == 0 && len(stack) > 0 {
					again := packet.AppendMPLSObject(nil, stack)
					diff(t, "label stack object", packet.AppendObject(nil, o), again)
				}
			}
		}
		diff(t, "labels", fromObjects, x.AppendMPLS(nil))
		again := packet.Extensions(packet.AppendExtensions(nil, objects))
		diff(t, "checksum", uint16(0), packet.Checksum(again))
		diff(t, "objects", slices.Collect(x.Objects()), slices.Collect(again.Objects()))
	})
}
