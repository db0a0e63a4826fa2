// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"fmt"
	"io/fs"
	"strings"
)

// containerRuntime is what runs the container that this process is in; empty
// outside of any.
type containerRuntime string

// The runtimes whose options are known. Any other is anyContainer.
const (
	docker       containerRuntime = "docker"
	podman       containerRuntime = "podman"
	kubernetes   containerRuntime = "kubernetes"
	nspawn       containerRuntime = "systemd-nspawn"
	lxc          containerRuntime = "lxc"
	anyContainer containerRuntime = "container"
)

// findRuntime looks for what runtimes leave in a container. root is the file
// system's, getenv the environment.
func findRuntime(root fs.FS, getenv func(string) string) containerRuntime {
	exists := func(name string) bool {
		_, err := fs.Stat(root, name)
		return err == nil
	}
	switch {
	case getenv("KUBERNETES_SERVICE_HOST") != "":
		return kubernetes
	case exists("run/.containerenv"):
		return podman
	case exists(".dockerenv") && readLine(root, "proc/2/comm") != "kthreadd":
		// A machine made of an image has that file, and sees the kernel's threads.
		return docker
	}
	told := getenv("container") // systemd.io/CONTAINER_INTERFACE
	if told == "" {
		told = readLine(root, "run/systemd/container")
	}
	for _, known := range []containerRuntime{docker, podman, kubernetes, nspawn, lxc} {
		if strings.HasPrefix(told, string(known)) {
			return known
		}
	}
	if told != "" {
		return anyContainer
	}
	// The hierarchies of version 1, and of version 2 without a namespace of its
	// own, name the container.
	groups := readLine(root, "proc/1/cgroup")
	for part, runtime := range map[string]containerRuntime{"kubepods": kubernetes, "/docker": docker, "/libpod": podman, "/lxc": lxc} {
		if strings.Contains(groups, part) {
			return runtime
		}
	}
	return ""
}

// readLine returns a file's text with line ends as spaces, or "".
func readLine(root fs.FS, name string) string {
	b, err := fs.ReadFile(root, name)
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(b)), " ")
}

// grantNetRaw is how the container is started with CAP_NET_RAW.
func (r containerRuntime) grantNetRaw() string {
	switch r {
	case kubernetes:
		return `securityContext: {capabilities: {add: ["NET_RAW"]}}`
	case nspawn:
		return "systemd-nspawn --capability=CAP_NET_RAW ..."
	case lxc:
		return "lxc.cap.keep = net_raw"
	case podman:
		return "podman run --cap-add=NET_RAW ..."
	default:
		return "docker run --cap-add=NET_RAW ..."
	}
}

// runAsRoot is how the container is started with a root that has what the
// container has.
func (r containerRuntime) runAsRoot() string {
	switch r {
	case kubernetes:
		return "securityContext: {runAsUser: 0}"
	case nspawn:
		return "systemd-nspawn --user=root ..."
	case lxc:
		return "lxc-attach --uid 0 ..."
	case podman:
		return "podman run --user=0 ..."
	default:
		return "docker run --user=0 ..."
	}
}

// allowNewPrivileges is how the container is started without no_new_privs.
func (r containerRuntime) allowNewPrivileges() string {
	switch r {
	case kubernetes:
		return "securityContext: {allowPrivilegeEscalation: true}"
	case nspawn:
		return "systemd-nspawn --no-new-privileges=no ..."
	case lxc:
		return "lxc.no_new_privs = 0"
	case podman:
		return "podman run --security-opt=no-new-privileges=false ..."
	default:
		return "docker run --security-opt=no-new-privileges=false ..."
	}
}

// sysctl is how a setting of the network is changed. In containers /proc/sys can
// only be read, and the runtime sets it.
func (r containerRuntime) sysctl(name, value string) string {
	quoted := fmt.Sprintf("%q", value)
	switch {
	case r == kubernetes:
		return fmt.Sprintf("securityContext: {sysctls: [{name: %s, value: %s}]}", name, quoted)
	case !strings.Contains(value, " "):
		quoted = value
	}
	if r == docker || r == podman {
		return fmt.Sprintf("%s run --sysctl %s=%s ...", r, name, quoted)
	}
	return fmt.Sprintf("sudo sysctl -w %s=%s", name, quoted)
}

func (r containerRuntime) check() Check {
	c := Check{Subject: "container", Verdict: OK}
	switch r {
	case "":
		c.Finding = "no sign of one"
	case anyContainer:
		c.Finding = "in one: its runtime decides on rights, sysctls and routes"
	default:
		c.Finding = "in one of " + string(r) + ", whose options decide on rights, sysctls and routes"
	}
	return c
}
