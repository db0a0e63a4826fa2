// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"traceflow/internal/doctor"
	"traceflow/probe"
)

// system is what messages and flags have to know of an operating system.
type system struct {
	// wires are the values of --wire, besides sim.
	wires []string
	// grant is the command that lets this very file open raw sockets; empty where
	// files cannot have rights.
	grant string
	// permit says how to get the right to open raw sockets, or to do without.
	permit string
	// remedy is appended to what a wire without raw sockets cannot see; empty
	// where raw sockets see no more of it.
	remedy string
	// labels is true where programs choose the IPv6 flow labels of their packets.
	labels bool
	// routes, addresses and resolver show what their names say: commands or files.
	routes, addresses, resolver string
}

// here is the system that this program runs on.
func here() system {
	executable, err := os.Executable()
	if err != nil {
		executable = ""
	}
	s := systemOf(runtime.GOOS, executable)
	if line := doctor.Withheld(executable); line != "" {
		s.permit = "start it with " + line + ", or use --wire " + string(probe.KindSockets)
		s.remedy = "; for these, start it with " + line
	}
	return s
}

// systemOf is the system of a name that Go has for it (GOOS).
func systemOf(name, executable string) system {
	const auto, raw, sockets, handles = string(probe.KindAuto), string(probe.KindRaw), string(probe.KindSockets), "handles"
	switch name {
	case "linux", "android":
		grant := setcap(executable)
		return system{
			wires:  []string{auto, raw, sockets},
			grant:  grant,
			permit: "run as root, once " + grant + ", or use --wire " + sockets,
			remedy: "; for these, run as root or once: " + grant,
			labels: true,
			routes: "ip route", addresses: "ip address", resolver: "/etc/resolv.conf",
		}
	case "darwin":
		return system{
			wires:  []string{auto, raw, sockets},
			permit: "run with sudo, or use --wire " + sockets,
			routes: "netstat -rn", addresses: "ifconfig", resolver: "scutil --dns",
		}
	case "windows":
		return system{
			wires:  []string{auto, raw, handles},
			permit: "run as Administrator, or use --wire " + handles,
			remedy: "; for these, run as Administrator",
			routes: "route print", addresses: "ipconfig", resolver: "ipconfig /all",
		}
	}
	return system{
		wires:  []string{auto, raw},
		permit: "run as root",
		routes: "netstat -rn", addresses: "ifconfig", resolver: "/etc/resolv.conf",
	}
}

// setcap is the command that lets this very file open raw sockets on Linux.
func setcap(executable string) string {
	const command = "sudo setcap cap_net_raw+p "
	if executable == "" || passing(executable) {
		return command + "./traceflow (build it first: make build)"
	}
	return command + doctor.Word(executable)
}

// passing reports whether an executable lies where things do not stay: in a
// temporary folder, or where go run keeps what it builds.
func passing(executable string) bool {
	for _, folder := range []string{os.TempDir(), os.Getenv("GOTMPDIR"), os.Getenv("GOCACHE")} {
		if inside, err := filepath.Rel(folder, executable); folder != "" && err == nil && filepath.IsLocal(inside) {
			return true
		}
	}
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(executable), "/"), func(name string) bool {
		return strings.HasPrefix(name, "go-build")
	})
}
