// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// forgetHashes makes packets leave the vantage point without the hash that
// their socket gave them. A connected socket has a random one, which every
// kernel of the lab would choose by, though no header and no wire carries it.
//
// Only root of the machine may load the program that does it, and not every
// kernel takes it: the lab is built without it too, see SocketsHashed.
//
// Where no node has a choice nothing is loaded: each packet would pay for it.
func (b *builder) forgetHashes() error {
	ways := make(map[int]int)
	choice := false
	for _, edge := range b.t.Edges {
		ways[edge.From]++
		choice = choice || ways[edge.From] > 1
	}
	if !choice {
		return nil
	}
	program, err := loadForgetful()
	if err != nil {
		return fmt.Errorf("load a program that clears hashes, which needs CAP_BPF on the machine: %w", err)
	}
	defer unix.Close(program)
	for e, edge := range b.t.Edges {
		if edge.From != b.t.Source {
			continue
		}
		routes, device := b.nodes[edge.From].routes, b.links[e].from
		attrs := netlink.QdiscAttrs{LinkIndex: device, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT}
		if err := routes.QdiscAdd(&netlink.Clsact{QdiscAttrs: attrs}); err != nil {
			return fmt.Errorf("queueing discipline of %s: %w", b.links[e].name, err)
		}
		filter := &netlink.BpfFilter{
			FilterAttrs: netlink.FilterAttrs{
				LinkIndex: device, Parent: netlink.HANDLE_MIN_EGRESS, Handle: 1, Protocol: unix.ETH_P_ALL, Priority: 1,
			},
			Fd: program, Name: "forget", DirectAction: true,
		}
		if err := routes.FilterAdd(filter); err != nil {
			return fmt.Errorf("filter of %s: %w", b.links[e].name, err)
		}
	}
	return nil
}

// loadForgetful loads a traffic control program that clears the hash of every
// packet, and returns its descriptor.
func loadForgetful() (int, error) {
	const (
		setHashInvalid = 41 // bpf_set_hash_invalid (include/uapi/linux/bpf.h)
		accept         = 0  // TC_ACT_OK
	)
	type instruction struct {
		code      uint8
		_         uint8 // registers
		_         int16 // offset
		immediate int32
	}
	program := [...]instruction{
		{code: unix.BPF_JMP | unix.BPF_CALL, immediate: setHashInvalid},
		{code: unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K, immediate: accept},
		{code: unix.BPF_JMP | unix.BPF_EXIT},
	}
	license := [...]byte{'B', 'S', 'D', 0}
	var pinned runtime.Pinner // or they might move before the kernel reads them
	defer pinned.Unpin()
	pinned.Pin(&program)
	pinned.Pin(&license)
	// The start of union bpf_attr for BPF_PROG_LOAD.
	attr := struct {
		kind, count      uint32
		program, license uint64
		_                [24]byte // log, kernel version
	}{
		kind: unix.BPF_PROG_TYPE_SCHED_CLS, count: uint32(len(program)),
		program: uint64(uintptr(unsafe.Pointer(&program))), license: uint64(uintptr(unsafe.Pointer(&license))),
	}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return -1, os.NewSyscallError("bpf", errno)
	}
	return int(fd), nil
}

// SocketsHashed returns nil where the packets of all sockets of the vantage
// point are forwarded by their headers. Otherwise it returns why those of
// connected UDP and of TCP sockets go ways of their own.
func (l *Lab) SocketsHashed() error { return l.hashes }
