// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"fmt"

	"traceflow/probe"
)

// rightsFacts are what this process may do, and what stands in the way of more.
type rightsFacts struct {
	known bool // false where there are no capabilities
	uid   int
	// effective, permitted and bounding say which sets of this process have
	// CAP_NET_RAW (capabilities(7)).
	effective, permitted, bounding bool
	noNewPrivs                     bool // prctl(2), PR_SET_NO_NEW_PRIVS
	seccomp                        bool // a filter of system calls is installed
	// file says whether the executable's capability has CAP_NET_RAW.
	file bool
	// noSuid is true when the executable's file system gives no capabilities.
	noSuid bool
	// namespace is true when the users are those of a user namespace.
	namespace bool
	// service is the systemd unit that this process belongs to, if any.
	service string
	runtime containerRuntime
	// fixed is true when this process may only read sysctls: the container's
	// runtime sets them.
	fixed bool
}

func (f *rightsFacts) held() bool { return f.effective || f.permitted }

// advice is the line that gives the right to open raw sockets, whatever it is
// that stands in the way.
func (f *rightsFacts) advice(c *Config, wires *wireFacts) string {
	switch {
	case f.held() && !wires.opens(probe.KindRaw, false) && f.namespace:
		return "sudo " + command(c) + " # outside of the user namespace"
	case f.held() && f.seccomp:
		return "grep Seccomp /proc/self/status"
	case f.runtime != "" && !f.bounding:
		return f.runtime.grantNetRaw()
	case f.runtime != "":
		return f.runtime.runAsRoot()
	case f.service != "" && (f.noNewPrivs || !f.bounding):
		return fmt.Sprintf("sudo systemctl edit %s # [Service] AmbientCapabilities=CAP_NET_RAW", Word(f.service))
	case f.noNewPrivs || !f.bounding:
		return "sudo " + command(c) + " # from another session"
	}
	return "sudo " + command(c)
}

// sysctls is what sets sysctls, if it is not this system itself.
func (f *rightsFacts) sysctls() containerRuntime {
	if f.fixed {
		return f.runtime
	}
	return ""
}

// command is the command line of a trace.
func command(c *Config) string {
	line := "traceflow"
	if c.Executable != "" {
		line = Word(c.Executable)
	}
	if c.Destination != "" {
		return line + " " + Word(c.Destination)
	}
	return line + " DEST"
}

func (f *rightsFacts) checks(c *Config, wires *wireFacts) []Check {
	if !f.known {
		return []Check{onlyOn("Linux", "rights")}
	}
	return []Check{
		f.fileCheck(c), f.newRightsCheck(c), f.mountCheck(c), f.runtime.check(), f.namespaceCheck(c, wires), f.check(c, wires),
	}
}

func (f *rightsFacts) check(c *Config, wires *wireFacts) Check {
	k := Check{Subject: "rights", Verdict: OK}
	switch {
	case f.held() && !wires.opens(probe.KindRaw, false) && !wires.opens(probe.KindRaw, true):
		k.Verdict = Limited
		k.Finding = "CAP_NET_RAW is held, and raw sockets are refused all the same"
		if f.seccomp {
			k.Finding += ": a seccomp filter may do so"
		}
		k.Mend = f.advice(c, wires)
	case f.effective:
		k.Finding = "CAP_NET_RAW is effective: raw sockets are allowed"
	case f.permitted:
		k.Finding = "CAP_NET_RAW is permitted, and raised while sockets are opened"
	default:
		k.Verdict = Limited
		k.Finding = fmt.Sprintf("user %d, without CAP_NET_RAW: no raw sockets", f.uid)
		if !f.bounding {
			k.Finding += "; the bounding set lacks it, so no file can give it"
		}
		k.Mend = f.advice(c, wires)
	}
	return k
}

func (f *rightsFacts) fileCheck(c *Config) Check {
	k := Check{Subject: "file rights", Verdict: OK}
	switch {
	case f.file && f.held():
		k.Finding = "the file has cap_net_raw"
	case f.file:
		k.Verdict = Limited
		k.Finding = "the file has cap_net_raw, which has no effect here: see the other checks of rights"
		k.Mend = "getcap " + Word(c.Executable)
	case f.held():
		k.Finding = "the file has no capability, and needs none as this process has it"
	default:
		k.Verdict = Limited
		k.Finding = "the file has no capability: ordinary users get no raw sockets"
		k.Mend = c.Grant
	}
	return k
}

func (f *rightsFacts) newRightsCheck(c *Config) Check {
	k := Check{Subject: "new rights", Verdict: OK, Finding: "no_new_privs is not set: file capabilities have effect"}
	switch {
	case f.noNewPrivs && f.held():
		k.Finding = "no_new_privs is set, which takes nothing away"
	case f.noNewPrivs:
		k.Verdict = Limited
		k.Finding = "no_new_privs is set: neither file capabilities nor sudo have any effect"
		switch {
		case f.runtime != "":
			k.Mend = f.runtime.allowNewPrivileges()
		case f.service != "":
			k.Mend = fmt.Sprintf("sudo systemctl edit %s # [Service] NoNewPrivileges=no", Word(f.service))
		default:
			k.Mend = command(c) + " # from a session without no_new_privs"
		}
	}
	return k
}

func (f *rightsFacts) mountCheck(c *Config) Check {
	k := Check{Subject: "mount", Verdict: OK, Finding: "the file's file system lets capabilities have effect"}
	switch {
	case f.noSuid && f.held():
		k.Finding = "the file's file system is nosuid, which takes nothing away"
	case f.noSuid:
		k.Verdict = Limited
		k.Finding = "the file's file system is nosuid: file capabilities have no effect there"
		k.Mend = fmt.Sprintf("sudo install %s /usr/local/bin/ && sudo setcap cap_net_raw+p /usr/local/bin/traceflow", Word(c.Executable))
	}
	return k
}

func (f *rightsFacts) namespaceCheck(c *Config, wires *wireFacts) Check {
	k := Check{Subject: "user namespace", Verdict: OK, Finding: "in the first one: rights are worth what they say"}
	switch {
	case f.namespace && f.held() && !wires.opens(probe.KindRaw, false):
		k.Verdict = Limited
		k.Finding = "in one to which this network does not belong: capabilities are worth nothing in it"
		k.Mend = f.advice(c, wires)
	case f.namespace:
		k.Finding = "in one: rights are worth something in networks that belong to it"
	}
	return k
}
