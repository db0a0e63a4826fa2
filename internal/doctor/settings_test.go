// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
)

// kernel is a file system with the settings of an ordinary host and its one
// gateway, and some of its own. An empty setting is one that cannot be read.
func kernel(own map[string]string) *settings {
	files := map[string]string{
		"sys/net/ipv4/conf/all/rp_filter":      "0",
		"sys/net/ipv4/conf/eth0/rp_filter":     "0",
		"sys/net/ipv4/conf/eth1.7/rp_filter":   "0",
		"sys/net/core/rmem_max":                "212992",
		"sys/net/ipv4/ip_local_port_range":     "32768\t60999",
		"sys/net/ipv4/ip_local_reserved_ports": "",
		"sys/net/ipv4/ip_forward":              "0",
		"net/route":                            routes("eth0"),
		"net/udp":                              udpTable(53, 5353),
	}
	maps.Copy(files, own)
	root := fstest.MapFS{}
	for name, text := range files {
		if text != "" {
			root["proc/"+name] = &fstest.MapFile{Data: []byte(text + "\n")}
		}
	}
	return &settings{known: true, root: root}
}

// routes is /proc/net/route with a default route for each interface.
func routes(interfaces ...string) string {
	table := "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	for _, name := range interfaces {
		table += name + "\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
	}
	return table + "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0"
}

func udpTable(ports ...int) string {
	table := "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	for i, port := range ports {
		table += fmt.Sprintf("%4d: 00000000:%04X 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2\n", i, port)
	}
	return strings.TrimSpace(table)
}

func TestSettings(t *testing.T) {
	checks := func(own map[string]string) []Check { return kernel(own).checks(&routeFacts{}) }
	several := func(ipv6 bool, policy string) []Check {
		facts := &routeFacts{ways: []way{{ipv6: ipv6, hops: []nextHop{{device: "eth0"}, {device: "eth1.7"}}}}}
		name := "sys/net/ipv4/fib_multipath_hash_policy"
		if ipv6 {
			name = "sys/net/ipv6/fib_multipath_hash_policy"
		}
		return kernel(map[string]string{name: policy}).checks(facts)
	}
	two := routes("eth0", "eth1.7")
	inDocker := kernel(map[string]string{"sys/net/core/rmem_max": "65536"})
	inDocker.runtime = docker
	loose := "sudo sysctl -w net.ipv4.conf.all.rp_filter=2"
	testVerdicts(t, []verdictTest{
		{"any way back", checks(nil), "reverse path", OK, "any interface", ""},
		{"strict, one way", checks(map[string]string{"sys/net/ipv4/conf/all/rp_filter": "1"}), "reverse path", OK, "strict on eth0, which is the only way out", ""},
		{
			"strict, two ways", checks(map[string]string{"sys/net/ipv4/conf/all/rp_filter": "1", "net/route": two}),
			"reverse path", Limited, "strict on eth0, eth1.7, with ways out by eth0, eth1.7", loose,
		},
		{"one strict of two", checks(map[string]string{"sys/net/ipv4/conf/eth1.7/rp_filter": "1", "net/route": two}), "reverse path", Limited, "strict on eth1.7, with", loose},
		{
			"loose by all", checks(map[string]string{"sys/net/ipv4/conf/all/rp_filter": "2", "sys/net/ipv4/conf/eth0/rp_filter": "1", "net/route": two}),
			"reverse path", OK, "any interface", "",
		},
		{"no way out", checks(map[string]string{"net/route": ""}), "reverse path", Unknown, "nothing leaves", "ip route"},
		{"no proc", checks(map[string]string{"sys/net/ipv4/conf/all/rp_filter": ""}), "reverse path", Unknown, "cannot be read", "sysctl net.ipv4.conf.all.rp_filter"},

		{"buffer", checks(nil), "receive buffer", OK, "room for 512 replies", ""},
		{"small buffer", checks(map[string]string{"sys/net/core/rmem_max": "65536"}), "receive buffer", Limited, "room for 157 replies", "sudo sysctl -w net.core.rmem_max=4194304"},
		{"small buffer in Docker", inDocker.checks(&routeFacts{}), "receive buffer", Limited, "room for", "sudo sysctl -w net.core.rmem_max=4194304 # on the container's host, for all of it"},
		{"no buffer", checks(map[string]string{"sys/net/core/rmem_max": ""}), "receive buffer", Unknown, "cannot be read", "sysctl net.core.rmem_max"},

		{"ports", checks(nil), "source ports", OK, "33453-33516 are free now; other programs may be given them", ""},
		{"ports of nobody", checks(map[string]string{"sys/net/ipv4/ip_local_port_range": "40000 50000"}), "source ports", OK, "not among those given to other programs (40000-50000)", ""},
		{"ports reserved", checks(map[string]string{"sys/net/ipv4/ip_local_reserved_ports": "80,33000-34000"}), "source ports", OK, "and reserved", ""},
		{"ports half reserved", checks(map[string]string{"sys/net/ipv4/ip_local_reserved_ports": "33000-33500"}), "source ports", OK, "other programs may be given them", ""},
		{
			"ports in use", checks(map[string]string{"net/udp6": udpTable(33453, 33516), "net/udp": udpTable(33517)}),
			"source ports", Limited, "2 of 33453-33516 in use by others, 33453 among them", "traceflow --srcport 33580 DEST",
		},
		{"ports unknown", checks(map[string]string{"sys/net/ipv4/ip_local_port_range": ""}), "source ports", Unknown, "cannot be read", "sysctl net.ipv4.ip_local_port_range"},

		{"balancer by address", several(false, "0"), "multipath IPv4", Limited, "address alone", "sudo sysctl -w net.ipv4.fib_multipath_hash_policy=1"},
		{"balancer by port", several(true, "1"), "multipath IPv6", OK, "address and port", ""},
		{"balancer of another policy", several(true, "9"), "multipath IPv6", Unknown, "cannot be read", "sysctl net.ipv6.fib_multipath_hash_policy"},

		{"router", checks(map[string]string{
			"sys/net/ipv4/ip_forward": "1", "sys/net/ipv4/icmp_ratelimit": "1000",
			"sys/net/ipv4/icmp_ratemask": "6168", "sys/net/ipv4/icmp_msgs_per_sec": "10000",
		}), "forwarding", OK, "answered once in 1000 ms each, after a burst (net.ipv4.icmp_ratelimit); 10000/s in all", ""},
		{"router without limits", checks(map[string]string{
			"sys/net/ipv4/ip_forward": "1", "sys/net/ipv4/icmp_ratelimit": "1000", "sys/net/ipv4/icmp_ratemask": "16",
		}), "forwarding", OK, "without a limit", ""},
		{"another system", (&settings{}).checks(&routeFacts{}), "sysctls", Unknown, "exists on Linux only", ""},
	})
	for _, c := range checks(nil) {
		if c.Subject == "forwarding" || strings.HasPrefix(c.Subject, "multipath") {
			t.Errorf("%+v is about what this host does not do", c)
		}
	}
}
