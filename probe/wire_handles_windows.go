// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// The ICMP handles of iphlpapi.dll, for which no right is needed (icmpapi.h:
// IcmpSendEcho2Ex since Windows Vista SP1, Icmp6SendEcho2 since Windows XP).
// x/sys has none of them.
var (
	iphlpapi        = windows.NewLazySystemDLL("iphlpapi.dll")
	icmpCreateFile  = iphlpapi.NewProc("IcmpCreateFile")
	icmp6CreateFile = iphlpapi.NewProc("Icmp6CreateFile")
	icmpSendEcho2Ex = iphlpapi.NewProc("IcmpSendEcho2Ex")
	icmp6SendEcho2  = iphlpapi.NewProc("Icmp6SendEcho2")
	icmpCloseHandle = iphlpapi.NewProc("IcmpCloseHandle")
)

// handleTimeout is how long a call waits for an answer: longer than the engine
// does by default (DefaultTimeout), so that a late answer is still counted.
const handleTimeout = 5 * time.Second

// ipOptionInformation is IP_OPTION_INFORMATION of ipexport.h.
type ipOptionInformation struct {
	ttl, tos, flags, optionsSize uint8
	options                      *byte
}

const ipFlagDontFragment = 2 // IP_FLAG_DF

func openHandles(o Options) (*handleWire, error) {
	if o.Interface != "" {
		return nil, &UnsupportedError{Feature: "choosing an interface without raw sockets", Need: "an Administrator"}
	}
	create, ask := icmpCreateFile, askIPv4
	if o.IPv6 {
		create, ask = icmp6CreateFile, askIPv6
	}
	if err := iphlpapi.Load(); err != nil {
		return nil, err
	}
	r, _, err := create.Call()
	handle := windows.Handle(r)
	if handle == windows.InvalidHandle {
		return nil, os.NewSyscallError("IcmpCreateFile", err)
	}
	return newHandleWire(
		func(q *echoRequest) (echoAnswer, bool) { return ask(handle, q) },
		func() error {
			if ok, _, err := icmpCloseHandle.Call(uintptr(handle)); ok == 0 {
				return os.NewSyscallError("IcmpCloseHandle", err)
			}
			return nil
		},
	), nil
}

// askIPv4 calls IcmpSendEcho2Ex, which returns when the answer is there (no
// event, no APC): the number of answers, 0 after a timeout or an error.
func askIPv4(handle windows.Handle, q *echoRequest) (echoAnswer, bool) {
	const pointer = int(unsafe.Sizeof(uintptr(0)))
	source, destination := q.source.As4(), q.destination.As4()
	options, data := optionsOf(q), unsafe.SliceData(q.data)
	reply := replyRoom(echoReplySize(pointer), q)
	n, _, _ := icmpSendEcho2Ex.Call(uintptr(handle), 0, 0, 0,
		uintptr(binary.LittleEndian.Uint32(source[:])), uintptr(binary.LittleEndian.Uint32(destination[:])),
		uintptr(unsafe.Pointer(data)), uintptr(len(q.data)), uintptr(unsafe.Pointer(options)),
		uintptr(unsafe.Pointer(unsafe.SliceData(reply))), uintptr(len(reply)), uintptr(handleTimeout.Milliseconds()))
	if n == 0 {
		return echoAnswer{}, false
	}
	answer, err := decodeEchoReply(reply, pointer)
	return answer, err == nil
}

// askIPv6 calls Icmp6SendEcho2, likewise.
func askIPv6(handle windows.Handle, q *echoRequest) (echoAnswer, bool) {
	source := windows.RawSockaddrInet6{Family: windows.AF_INET6, Addr: q.source.As16()}
	destination := windows.RawSockaddrInet6{Family: windows.AF_INET6, Addr: q.destination.As16()}
	options, data := optionsOf(q), unsafe.SliceData(q.data)
	reply := replyRoom(echoReply6Size, q)
	n, _, _ := icmp6SendEcho2.Call(uintptr(handle), 0, 0, 0,
		uintptr(unsafe.Pointer(&source)), uintptr(unsafe.Pointer(&destination)),
		uintptr(unsafe.Pointer(data)), uintptr(len(q.data)), uintptr(unsafe.Pointer(options)),
		uintptr(unsafe.Pointer(unsafe.SliceData(reply))), uintptr(len(reply)), uintptr(handleTimeout.Milliseconds()))
	if n == 0 {
		return echoAnswer{}, false
	}
	answer, err := decodeEchoReply6(reply)
	return answer, err == nil
}

func optionsOf(q *echoRequest) *ipOptionInformation {
	o := &ipOptionInformation{ttl: q.ttl, tos: q.tos}
	if q.dontFragment {
		o.flags = ipFlagDontFragment
	}
	return o
}

// replyRoom is room for an answer, as both functions want it: one structure,
// the data, 8 bytes of an ICMP error and an IO_STATUS_BLOCK, which is two
// pointers. It is aligned for the pointers in it.
func replyRoom(structure int, q *echoRequest) []byte {
	size := structure + len(q.data) + 8 + 2*int(unsafe.Sizeof(uintptr(0)))
	words := make([]uint64, (size+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), size)
}
