// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// From linux/in.h and linux/in6.h; x/sys does not have them.
const (
	ipRecvErrRFC4884   = 26
	ipv6RecvErrRFC4884 = 31
)

// getsLabels reports whether the kernel says where in a quote the extensions
// begin (Linux 5.9): nil, or why not.
func getsLabels(ipv6 bool) error {
	family, level, option := unix.AF_INET, unix.IPPROTO_IP, ipRecvErrRFC4884
	if ipv6 {
		family, level, option = unix.AF_INET6, unix.IPPROTO_IPV6, ipv6RecvErrRFC4884
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, level, option, 1))
}

func tryPings() []pingTry {
	groups, _ := os.ReadFile("/proc/sys/net/ipv4/ping_group_range") // for the words only
	var tries []pingTry
	for _, ipv6 := range []bool{false, true} {
		t := pingTry{ipv6: ipv6, groups: strings.Join(strings.Fields(string(groups)), " ")}
		family, protocol := unix.AF_INET, unix.IPPROTO_ICMP
		if ipv6 {
			family, protocol = unix.AF_INET6, unix.IPPROTO_ICMPV6
		}
		fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, protocol)
		t.open = os.NewSyscallError("socket", err)
		if err == nil {
			unix.Close(fd)
		}
		tries = append(tries, t)
	}
	return tries
}
