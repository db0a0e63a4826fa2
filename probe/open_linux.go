// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

const socketsBlind = "without the right to open raw sockets the TTL and TOS that routers quote are not seen"

// Open opens a wire. KindAuto takes the raw
// wire and, where that is not permitted, the sockets wire. An error about rights
// is os.ErrPermission.
func Open(kind Kind, o Options) (Wire, Capabilities, error) {
	switch kind {
	case KindAuto:
		w, caps, err := Open(KindRaw, o)
		if errors.Is(err, os.ErrPermission) {
			return Open(KindSockets, o)
		}
		return w, caps, err
	case KindRaw:
		defer raiseNetRaw()()
		w, err := openRaw(o)
		if err != nil {
			return nil, Capabilities{}, opError("open raw socket", "", err)
		}
		return w, Capabilities{Kind: KindRaw, QuotedHeader: true}, nil
	case KindSockets:
		w, err := openSockets(o)
		if err != nil {
			return nil, Capabilities{}, opError("open socket", "", err)
		}
		return w, Capabilities{Kind: KindSockets, Sends: w.sends(), Blind: socketsBlind}, nil
	case KindSim:
	}
	return nil, Capabilities{}, &UnsupportedError{Feature: "wire " + string(kind), Need: "one of auto, raw, sockets"}
}

// raiseNetRaw makes CAP_NET_RAW effective if it is permitted, and returns what
// takes it back. A binary with the file capability cap_net_raw+p starts with
// it permitted only. Where it is not permitted nothing happens: the socket
// call will say so.
func raiseNetRaw() (lower func()) {
	set := cap.GetProc()
	if on, err := set.GetFlag(cap.Effective, cap.NET_RAW); err != nil || on {
		return func() {}
	}
	if set.SetFlag(cap.Effective, true, cap.NET_RAW) != nil || set.SetProc() != nil {
		return func() {}
	}
	return func() {
		if set.SetFlag(cap.Effective, false, cap.NET_RAW) == nil {
			_ = set.SetProc()
		}
	}
}

// DropPrivileges gives up every capability of the process, on all its
// threads. Open sockets keep working; opening more raw ones does not.
func DropPrivileges() error {
	return opError("drop capabilities", "", cap.NewSet().SetProc())
}

// bindToInterface makes a socket use one interface only.
func bindToInterface(fd uintptr, name string) error {
	return os.NewSyscallError("bind to device", unix.BindToDevice(int(fd), name))
}
