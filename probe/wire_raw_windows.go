// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/windows"

	"traceflow"
	"traceflow/packet"
)

// rawWindows is the raw sockets of Windows, for Administrators. By its manual
// ("TCP/IP Raw Sockets", learn.microsoft.com) Windows sends no TCP over them
// (Windows Server does), and UDP only from an address of this host.
//
// IPv4 packets leave as they are (IP_HDRINCL). Of IPv6 packets the kernel
// writes the header: the hop limit is an option of the socket, set before each
// packet; the flow label cannot be set. What is received of IPv6 has no header,
// and its hop limit is not read.
//
// There are no time stamps of the kernel's: packets are stamped when the call
// that sends or receives them returns.
type rawWindows struct {
	ipv6     bool
	receiver *net.IPConn
	senders  map[uint8]*senderWindows // by protocol; IPv4 has one, for any
	local    atomic.Pointer[netip.Addr]
	// room is for the longest packet: an echo reply is as long as the request.
	room [0xffff]byte
}

// senderWindows is a socket and what was last set for the IPv6 packets it sends.
type senderWindows struct {
	*net.IPConn
	hopLimit, trafficClass uint8
}

// anyProtocolWindows is IPPROTO_RAW.
const anyProtocolWindows uint8 = 255

// The options of ws2ipdef.h that x/sys does not have.
const (
	ipv6UnicastHops  = 4
	ipv6TrafficClass = 39
)

func openRawWindows(o Options) (_ *rawWindows, err error) {
	w := &rawWindows{ipv6: o.IPv6, senders: make(map[uint8]*senderWindows)}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	icmp, protocols := packet.ProtocolICMP, []uint8{anyProtocolWindows}
	if o.IPv6 {
		icmp, protocols = packet.ProtocolICMPv6, []uint8{packet.ProtocolICMPv6, packet.ProtocolUDP}
	}
	if w.receiver, err = listenWindows(o, icmp); err != nil {
		return nil, err
	}
	for _, protocol := range protocols {
		conn, err := listenWindows(o, protocol)
		if err != nil {
			return nil, err
		}
		w.senders[protocol] = &senderWindows{IPConn: conn}
	}
	return w, nil
}

// listenWindows opens a raw socket; one of IPPROTO_RAW takes headers from us.
func listenWindows(o Options, protocol uint8) (*net.IPConn, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		broken := c.Control(func(fd uintptr) {
			if protocol == anyProtocolWindows {
				err = windows.SetsockoptInt(windows.Handle(fd), windows.IPPROTO_IP, windows.IP_HDRINCL, 1)
			}
			if err == nil && o.Interface != "" {
				err = bindToInterface(fd, o.Interface)
			}
		})
		return errors.Join(broken, err)
	}}
	network, address := "ip4:", "0.0.0.0"
	if o.IPv6 {
		network, address = "ip6:", "::"
	}
	conn, err := config.ListenPacket(context.Background(), network+strconv.Itoa(int(protocol)), address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.IPConn), nil
}

// Send implements Wire.
func (w *rawWindows) Send(batch []traceflow.Datagram) (int, error) {
	for i := range batch {
		h, data, err := packet.DecodeIP(batch[i].Data)
		if err != nil {
			return i, err
		}
		sender := w.senders[anyProtocolWindows]
		if w.ipv6 {
			sender = w.senders[h.Protocol]
		} else {
			data = batch[i].Data
		}
		if sender == nil || h.Protocol == packet.ProtocolTCP {
			return i, &UnsupportedError{Feature: "sending this protocol on Windows", Need: "another system"}
		}
		if w.ipv6 {
			if err := sender.setHeader(&h); err != nil {
				return i, err
			}
		}
		w.local.Store(&h.Source)
		if _, err := sender.WriteToIP(data, &net.IPAddr{IP: h.Destination.AsSlice()}); err != nil {
			return i, err
		}
		batch[i].Time = time.Now()
	}
	return len(batch), nil
}

// setHeader makes the next packet's IPv6 header that of h.
func (s *senderWindows) setHeader(h *packet.IP) error {
	if h.Label != 0 {
		return &UnsupportedError{Feature: "an IPv6 flow label on Windows", Need: "Linux"}
	}
	for _, field := range []struct {
		option    int
		last      *uint8
		value     uint8
		operation string
	}{
		{ipv6UnicastHops, &s.hopLimit, h.TTL, "set hop limit"},
		{ipv6TrafficClass, &s.trafficClass, h.TOS, "set traffic class"},
	} {
		if *field.last == field.value {
			continue
		}
		conn, err := s.SyscallConn()
		if err != nil {
			return err
		}
		var refused error
		if err := conn.Control(func(fd uintptr) {
			refused = windows.SetsockoptInt(windows.Handle(fd), windows.IPPROTO_IPV6, field.option, int(field.value))
		}); err != nil {
			return err
		}
		if refused != nil {
			return opError(field.operation, strconv.Itoa(int(field.value)), refused)
		}
		*field.last = field.value
	}
	return nil
}

// Recv implements Wire, one packet at a time.
func (w *rawWindows) Recv(batch []traceflow.Datagram) (int, error) {
	for {
		n, _, _, from, err := w.receiver.ReadMsgIP(w.room[:], nil)
		at := time.Now()
		if err != nil {
			return 0, err
		}
		d := &batch[0]
		d.Time, d.Data = at, d.Data[:0]
		if w.ipv6 {
			source, _ := netip.AddrFromSlice(from.IP)
			var local netip.Addr
			if last := w.local.Load(); last != nil {
				local = *last
			}
			var ok bool
			if d.Data, ok = appendHeaderless(d.Data, source, local, 0, w.room[:n]); !ok {
				continue
			}
			return 1, nil
		}
		d.Data = append(d.Data, w.room[:n]...)
		networkOrder.fromKernel(d.Data)
		return 1, nil
	}
}

// Close implements Wire.
func (w *rawWindows) Close() (err error) {
	if w.receiver != nil {
		err = w.receiver.Close()
	}
	for _, s := range w.senders {
		err = errors.Join(err, s.Close())
	}
	return err
}
