// SPDX-License-Identifier: BSD-3-Clause

//go:build darwin || freebsd || openbsd

package probe

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"traceflow"
)

// noTCP: a SYN could be sent, but whether the destination has answered it
// nobody would know.
const noTCP = "Linux: raw sockets of this system do not see the answers of a TCP destination; probe with UDP or ICMP"

const rawBlind = "raw sockets of this system see ICMP alone: the answers of a UDP server at the destination are not seen"

// Open opens a wire. KindAuto takes the raw
// wire and, where that is not permitted, the sockets wire, which only macOS
// has. An error about rights is os.ErrPermission.
func Open(kind Kind, o Options) (Wire, Capabilities, error) {
	switch kind {
	case KindAuto:
		w, caps, err := Open(KindRaw, o)
		if !errors.Is(err, os.ErrPermission) {
			return w, caps, err
		}
		if w, caps, err := openUnprivileged(o); !errors.Is(err, errors.ErrUnsupported) {
			return w, caps, err
		}
		return nil, Capabilities{}, err
	case KindRaw:
		w, err := openRawBSD(o, kernelOrder)
		if err != nil {
			return nil, Capabilities{}, opError("open raw socket", "", err)
		}
		return w, Capabilities{
			Kind: KindRaw, QuotedHeader: true, Blind: rawBlind,
			Sends: map[traceflow.Protocol]Sending{
				traceflow.ProtocolUDP: {}, traceflow.ProtocolICMP: {}, traceflow.ProtocolTCP: {Missing: noTCP},
			},
		}, nil
	case KindSockets:
		return openUnprivileged(o)
	case KindSim:
	}
	return nil, Capabilities{}, &UnsupportedError{Feature: "wire " + string(kind), Need: "one of auto, raw, sockets"}
}

// DropPrivileges gives up what a binary with the setuid bit has over who runs
// it. Open sockets keep working; opening more raw ones does not. Who runs it
// as root stays root: these systems have no capabilities to give up.
func DropPrivileges() error {
	err := unix.Setgid(unix.Getgid())
	return opError("drop privileges", "", os.NewSyscallError("setuid", errors.Join(err, unix.Setuid(unix.Getuid()))))
}
