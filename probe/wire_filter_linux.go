// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"traceflow/packet"
)

// filter lets only those packets of a protocol into a raw socket that can
// answer a probe: a flood of echo requests, or the traffic of other programs,
// never leaves the kernel. What ICMP errors quote is not looked at, because
// strangers' replies are counted.
func filter(protocol uint8, o Options) []bpf.Instruction {
	// An IPv4 raw socket sees the IP header, an IPv6 one only what follows it.
	at := func(offset uint32, size int) bpf.Instruction { return bpf.LoadAbsolute{Off: offset, Size: size} }
	var program []bpf.Instruction
	if !o.IPv6 {
		at = func(offset uint32, size int) bpf.Instruction { return bpf.LoadIndirect{Off: offset, Size: size} }
		program = []bpf.Instruction{bpf.LoadMemShift{Off: 0}} // X = length of the IP header
	}
	lowest := uint32(o.LowestPort)
	ends := []bpf.Instruction{bpf.RetConstant{Val: 0}, bpf.RetConstant{Val: maxReceive}}
	switch protocol {
	case packet.ProtocolTCP:
		// A SYN or a reset with an acknowledgment, for a port that may be ours.
		const flags, syn, reset = 0x16, 0x12, 0x14
		program = append(
			program,
			at(13, 1),
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: flags},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: syn, SkipTrue: 1},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: reset, SkipTrue: 2},
			at(2, 2),
			bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: lowest, SkipTrue: 1},
		)
	case packet.ProtocolUDP:
		program = append(program, at(2, 2), bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: lowest, SkipTrue: 1})
	case packet.ProtocolICMP:
		program = append(
			program,
			at(0, 1),
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(packet.ICMPv4DestinationUnreachable), SkipTrue: 6},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(packet.ICMPv4TimeExceeded), SkipTrue: 5},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(packet.ICMPv4ParameterProblem), SkipTrue: 4},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(packet.ICMPv4EchoReply), SkipTrue: 2},
			at(4, 2), // the echo ID
			bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: lowest, SkipTrue: 1},
		)
	default:
		program = append(
			program,
			at(0, 1),
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 4},
			bpf.JumpIf{Cond: bpf.JumpLessOrEqual, Val: uint32(packet.ICMPv6ParameterProblem), SkipTrue: 4},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(packet.ICMPv6EchoReply), SkipTrue: 2},
			at(4, 2),
			bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: lowest, SkipTrue: 1},
		)
	}
	return append(program, ends...)
}

func attach(fd int, program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return os.NewSyscallError("attach filter", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}))
}
