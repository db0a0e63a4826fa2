// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"net"
	"os"

	"golang.org/x/sys/unix"

	"traceflow"
)

const kernelOrder = hostOrder

const socketsBlind = "the answers of a UDP server at the destination are not seen, and without root the IP ID of UDP probes is the system's own"

func openUnprivileged(o Options) (Wire, Capabilities, error) {
	w, err := openSockets(o)
	if err != nil {
		return nil, Capabilities{}, opError("open socket", "", err)
	}
	return w, Capabilities{
		Kind: KindSockets, QuotedHeader: true, Blind: socketsBlind,
		Sends: map[traceflow.Protocol]Sending{
			traceflow.ProtocolUDP: {}, traceflow.ProtocolICMP: {}, traceflow.ProtocolTCP: {Missing: noTCP},
		},
	}, nil
}

// bindToInterface makes a socket use one interface only (ip(4), IP_BOUND_IF;
// ip6(4), IPV6_BOUND_IF). The option has to be that of the socket's family.
func bindToInterface(fd uintptr, name string) error {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BOUND_IF, i.Index)
	if err != nil {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_BOUND_IF, i.Index)
	}
	return os.NewSyscallError("bind to interface", err)
}
