// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ownCgroups starts a program that finds the control groups where it looks for
// them. On a machine whose init mounted none, runc cannot make a container:
// then they are mounted in this mount namespace, which ends with the program.
// A hierarchy that the kernel has not yet set up is left alone (cgroups(7)). The
// program's own group is removed when it has ended.
const ownCgroups = `set -e
mount --make-rprivate /
if [ ! -e /sys/fs/cgroup/cgroup.controllers ] && [ ! -d /sys/fs/cgroup/devices ]; then
	mount -t tmpfs none /sys/fs/cgroup
	while read -r name hierarchy rest; do
		case $name$hierarchy in '#'* | *0) continue ;; esac
		mkdir "/sys/fs/cgroup/$name"
		mount -t cgroup -o "$name" none "/sys/fs/cgroup/$name"
	done </proc/cgroups
fi
"$@" & program=$!
trap 'kill $program' TERM
wait $program || wait $program || true # the first is cut short by the trap
rmdir /sys/fs/cgroup/traceflow-test /sys/fs/cgroup/*/traceflow-test 2>/dev/null || true`

// docker is a Docker engine of the test's own: its data in a folder of the
// test, no bridge, no rules in the firewall, and mounts that nobody else sees.
type docker struct{ socket string }

func startDocker(t *testing.T) *docker {
	t.Helper()
	need(t, true, "docker", "dockerd", "unshare", "mount")
	// Not t.TempDir: the path of a socket has at most 107 bytes.
	folder, err := os.MkdirTemp("", "traceflow-docker-") //nolint:usetesting // as above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	d := &docker{"unix://" + filepath.Join(folder, "socket")}
	var log bytes.Buffer
	engine := exec.Command("unshare", "--mount", "sh", "-c", ownCgroups, "sh", "dockerd",
		"--host", d.socket, "--data-root", filepath.Join(folder, "data"), "--exec-root", filepath.Join(folder, "run"),
		"--pidfile", filepath.Join(folder, "pid"), "--storage-driver=vfs", "--exec-opt=native.cgroupdriver=cgroupfs", "--cgroup-parent=/traceflow-test",
		"--bridge=none", "--iptables=false", "--ip6tables=false")
	engine.Stdout, engine.Stderr = &log, &log
	engine.WaitDelay = 10 * time.Second
	if err := engine.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = engine.Wait() // what it said is shown
		close(ended)
	}()
	t.Cleanup(func() {
		_ = engine.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			t.Error("the Docker engine did not end")
			_ = engine.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("the Docker engine said:\n%s", log.String())
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if d.command("version").Run() == nil {
			return d
		}
		select {
		case <-ended:
			t.Fatal("the Docker engine ended")
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("the Docker engine does not answer")
		}
	}
}

func (d *docker) command(args ...string) *exec.Cmd {
	cmd := exec.Command("docker", args...)
	cmd.Env = append(cmd.Environ(), "DOCKER_HOST="+d.socket, "DOCKER_BUILDKIT=0") // the other builder takes a plugin
	return cmd
}

// run runs docker and returns its exit code and output.
func (d *docker) run(t *testing.T, args ...string) (code int, out, stderr string) {
	t.Helper()
	cmd := d.command(args...)
	var o, e strings.Builder
	cmd.Stdout, cmd.Stderr = &o, &e
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}
