// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/windows"

	"traceflow"
)

// KindHandles is the ICMP handles of Windows: no right is needed.
const KindHandles Kind = "handles"

const (
	// The firewall drops ICMP errors that answer no packet of a socket's, before
	// a raw one sees them.
	rawBlind = "unless the firewall lets ICMP in, routers are not seen: " +
		"netsh advfirewall firewall add rule name=traceflow dir=in action=allow protocol=icmpv4:any,any (IPv6: icmpv6)"
	handlesBlind = "without raw sockets the TTL and TOS that routers quote, MPLS labels and the TTLs of IPv6 replies are not seen"

	// Windows chooses the ID and the sequence number of echo requests sent by a
	// handle, and so the checksum.
	noFlow = "raw sockets: run as Administrator, or take one path as it comes with --paths 1"

	noRawTCP = "another system: Windows sends no TCP over raw sockets; probe with ICMP"
	noUDP    = "raw sockets: run as Administrator, or probe with ICMP"
)

// Open opens a wire. KindAuto takes the raw
// wire and, where that is not permitted, the handles. An error about rights is
// os.ErrPermission.
func Open(kind Kind, o Options) (Wire, Capabilities, error) {
	switch kind {
	case KindAuto:
		w, caps, err := Open(KindRaw, o)
		if errors.Is(err, os.ErrPermission) {
			return Open(KindHandles, o)
		}
		return w, caps, err
	case KindRaw:
		w, err := openRawWindows(o)
		if errors.Is(err, windows.WSAEACCES) && !errors.Is(err, os.ErrPermission) {
			err = fmt.Errorf("%w: %w", os.ErrPermission, err)
		}
		if err != nil {
			return nil, Capabilities{}, opError("open raw socket", "", err)
		}
		return w, Capabilities{
			Kind: KindRaw, QuotedHeader: true, Blind: rawBlind,
			Sends: map[traceflow.Protocol]Sending{
				traceflow.ProtocolICMP: {}, traceflow.ProtocolUDP: {}, traceflow.ProtocolTCP: {Missing: noRawTCP},
			},
		}, nil
	case KindHandles:
		w, err := openHandles(o)
		if err != nil {
			return nil, Capabilities{}, opError("open ICMP handle", "", err)
		}
		return w, Capabilities{
			Kind: KindHandles, Blind: handlesBlind,
			Sends: map[traceflow.Protocol]Sending{
				traceflow.ProtocolICMP: {Flowless: noFlow}, traceflow.ProtocolUDP: {Missing: noUDP}, traceflow.ProtocolTCP: {Missing: noRawTCP},
			},
		}, nil
	case KindSockets, KindSim:
	}
	return nil, Capabilities{}, &UnsupportedError{Feature: "wire " + string(kind) + " on Windows", Need: "one of auto, raw, handles"}
}

// DropPrivileges does nothing: an Administrator's process has none that it
// could give up without starting again.
func DropPrivileges() error { return nil }

// IP_UNICAST_IF and IPV6_UNICAST_IF have one number (ws2ipdef.h).
const unicastInterface = 31

// bindToInterface makes a socket send by one interface ("IPPROTO_IP Socket
// Options", IP_UNICAST_IF): its index in network order for IPv4, in host order
// for IPv6. The option has to be that of the socket's family.
func bindToInterface(fd uintptr, name string) error {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	network := binary.BigEndian.AppendUint32(nil, uint32(i.Index))
	err = windows.SetsockoptInt(windows.Handle(fd), windows.IPPROTO_IP, unicastInterface, int(int32(binary.NativeEndian.Uint32(network))))
	if err != nil {
		err = windows.SetsockoptInt(windows.Handle(fd), windows.IPPROTO_IPV6, unicastInterface, i.Index)
	}
	return os.NewSyscallError("bind to interface", err)
}
