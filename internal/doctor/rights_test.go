// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"os"
	"testing"
	"testing/fstest"

	"traceflow/probe"
)

// wiresWith opens the wires of some kinds, and refuses the others.
func wiresWith(kinds ...probe.Kind) *wireFacts {
	f := &wireFacts{}
	for _, kind := range []probe.Kind{probe.KindRaw, probe.KindSockets} {
		for _, ipv6 := range []bool{false, true} {
			t := answered(wireTry{kind: kind, ipv6: ipv6})
			t.open = os.NewSyscallError("socket", os.ErrPermission)
			for _, open := range kinds {
				if open == kind {
					t.open = nil
				}
			}
			f.tries = append(f.tries, t)
		}
	}
	return f
}

func TestRights(t *testing.T) {
	c := &Config{Destination: "example.com", Executable: "/opt/my tools/traceflow", Grant: "sudo setcap cap_net_raw+p it"}
	root, user := wiresWith(probe.KindRaw, probe.KindSockets), wiresWith(probe.KindSockets)
	plain := rightsFacts{known: true, uid: 1000, bounding: true}
	with := func(edit func(*rightsFacts)) *rightsFacts {
		f := plain
		edit(&f)
		return &f
	}
	held := func(f *rightsFacts) { f.effective, f.permitted = true, true }
	sudo := "sudo '/opt/my tools/traceflow' example.com"
	testVerdicts(t, []verdictTest{
		{"root", with(held).checks(c, root), "rights", OK, "effective", ""},
		{"root's file", with(held).checks(c, root), "file rights", OK, "needs none", ""},
		{"file capability", with(func(f *rightsFacts) { f.permitted, f.file = true, true }).checks(c, root), "rights", OK, "permitted", ""},
		{"user", plain.checks(c, user), "rights", Limited, "user 1000, without CAP_NET_RAW", sudo},
		{"user's file", plain.checks(c, user), "file rights", Limited, "no capability", c.Grant},
		{
			"no new rights", with(func(f *rightsFacts) { f.noNewPrivs = true }).checks(c, user), "new rights", Limited,
			"neither file capabilities nor sudo", "'/opt/my tools/traceflow' example.com # from a session without no_new_privs",
		},
		{
			"no new rights in Docker", with(func(f *rightsFacts) { f.noNewPrivs, f.runtime = true, docker }).checks(c, user), "new rights", Limited,
			"neither", "docker run --security-opt=no-new-privileges=false ...",
		},
		{
			"no new rights in a service", with(func(f *rightsFacts) { f.noNewPrivs, f.service = true, "tf.service" }).checks(c, user), "new rights", Limited,
			"neither", "sudo systemctl edit tf.service # [Service] NoNewPrivileges=no",
		},
		{"no new rights of root", with(func(f *rightsFacts) { held(f); f.noNewPrivs = true }).checks(c, root), "new rights", OK, "takes nothing away", ""},
		{
			"file capability without effect", with(func(f *rightsFacts) { f.file, f.noNewPrivs = true, true }).checks(c, user), "file rights", Limited,
			"no effect here", "getcap '/opt/my tools/traceflow'",
		},
		{
			"nosuid", with(func(f *rightsFacts) { f.noSuid = true }).checks(c, user), "mount", Limited, "nosuid",
			"sudo install '/opt/my tools/traceflow' /usr/local/bin/ && sudo setcap cap_net_raw+p /usr/local/bin/traceflow",
		},
		{"nosuid of root", with(func(f *rightsFacts) { held(f); f.noSuid = true }).checks(c, root), "mount", OK, "takes nothing away", ""},
		{
			"container without the right", with(func(f *rightsFacts) { f.runtime, f.bounding = docker, false }).checks(c, user), "rights", Limited,
			"no file can give it", "docker run --cap-add=NET_RAW ...",
		},
		{
			"pod without the right", with(func(f *rightsFacts) { f.runtime, f.bounding = kubernetes, false }).checks(c, user), "rights", Limited,
			"no file can give it", `securityContext: {capabilities: {add: ["NET_RAW"]}}`,
		},
		{"container's user", with(func(f *rightsFacts) { f.runtime = podman }).checks(c, user), "rights", Limited, "user 1000", "podman run --user=0 ..."},
		{"container", with(func(f *rightsFacts) { held(f); f.runtime = podman }).checks(c, root), "container", OK, "podman", ""},
		{
			"service without the right", with(func(f *rightsFacts) { f.service, f.bounding = "tf.service", false }).checks(c, user), "rights", Limited,
			"bounding set", "sudo systemctl edit tf.service # [Service] AmbientCapabilities=CAP_NET_RAW",
		},
		{
			"namespace of users alone", with(func(f *rightsFacts) { held(f); f.namespace = true }).checks(c, user), "user namespace", Limited,
			"worth nothing", sudo + " # outside of the user namespace",
		},
		{"namespaces of users and network", with(func(f *rightsFacts) { held(f); f.namespace = true }).checks(c, root), "user namespace", OK, "belong to it", ""},
		{
			"seccomp", with(func(f *rightsFacts) { held(f); f.seccomp = true }).checks(c, user), "rights", Limited,
			"a seccomp filter may do so", "grep Seccomp /proc/self/status",
		},
		{"no capabilities on this system", (&rightsFacts{}).checks(c, user), "rights", Unknown, "exists on Linux only", ""},
	})
}

func TestFindRuntime(t *testing.T) {
	file := func(name, text string) fstest.MapFS { return fstest.MapFS{name: {Data: []byte(text)}} }
	tests := []struct {
		name string
		root fstest.MapFS
		env  map[string]string
		want containerRuntime
	}{
		{"none", file("proc/1/cgroup", "0::/init.scope\n"), nil, ""},
		{"docker", file(".dockerenv", ""), nil, docker},
		{"machine made of an image", fstest.MapFS{".dockerenv": {}, "proc/2/comm": {Data: []byte("kthreadd\n")}}, nil, ""},
		{"podman", file("run/.containerenv", ""), map[string]string{"container": "podman"}, podman},
		{"pod", file(".dockerenv", ""), map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, kubernetes},
		{"nspawn", file("run/systemd/container", "systemd-nspawn\n"), nil, nspawn},
		{"lxc by environment", nil, map[string]string{"container": "lxc-libvirt"}, lxc},
		{"another", nil, map[string]string{"container": "rocket"}, anyContainer},
		{"cgroups", file("proc/1/cgroup", "5:cpu:/docker/0123\n0::/\n"), nil, docker},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := findRuntime(tt.root, func(name string) string { return tt.env[name] })
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
