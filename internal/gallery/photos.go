// SPDX-License-Identifier: BSD-3-Clause

package main

import "regexp"

// network is what is traced once, for all pictures of its page.
type network struct {
	name     string
	topology string // in testdata, or built in
	kernel   bool   // made of kernels
	// after is what became of it: then the page is that of the difference, and says
	// the verdict.
	after, verdict string
	args           []string
	shows          shows
	photos         []photo
}

// photo is a window with a page in it.
type photo struct {
	name, title   string
	width, height int64
	view          string // what stands behind the # of the address
	document      bool   // docs/images has it

	of *network
}

func (p *photo) file() string { return p.name + ".png" }

// matching returns the pictures whose names match.
func (n *network) matching(match *regexp.Regexp) []photo {
	var out []photo
	for _, p := range n.photos {
		if match.MatchString(p.name) {
			p.of = n
			out = append(out, p)
		}
	}
	return out
}

// desk, document and phone are windows.
func desk(name, title, view string) photo {
	return photo{name: name, title: title, width: 1440, height: 900, view: view}
}

func document(name, title, view string) photo {
	return photo{name: name, title: title, width: 1280, height: 800, view: view, document: true}
}

func phone(name, title, view string) photo {
	return photo{name: name, title: title, width: 390, height: 844, view: view}
}

var networks = []network{
	{
		name: "four", topology: "four", args: []string{"--paths", "64"},
		shows: shows{
			paths: 4, forks: []string{"gw into 4"}, slow: []string{"core → lb"},
			signs: []string{"AS64496", "relax at gw", "AS64500", "AS64501", "AS64511"},
		},
		photos: []photo{desk("four", "Four paths over two providers", "theme=light")},
	},
	{
		name: "sixteen", topology: "sixteen", args: []string{"--confidence", "0.9999", "--seed", "4"},
		shows: shows{
			paths: 16, forks: []string{"pe1 into 4", "hosting into 4"}, slow: []string{"hosting → a3"}, silent: []string{"TTL 3"},
			signs: []string{"AS64496", "AS64500", "exchange point EX-IX", "AS64511"},
		},
		photos: []photo{
			document("page", "Sixteen paths: a slow link, a silent router, an exchange point", "theme=light"),
			document("page-dark", "The same, dark, coloured by owner, with one path picked", "theme=dark&colour=as&path=1"),
			{name: "page-phone", title: "The same on a phone", width: 390, height: 844, view: "theme=light", document: true},
			desk("folded", "The same without grounds, and silent hops folded", "theme=light&bands=off&silent=folded"),
		},
	},
	{
		name: "sixtyfour", topology: "sixtyfour", args: []string{"--confidence", "0.999"},
		shows: shows{paths: 64, forks: []string{"r1 into 64"}, slow: []string{"r1 → a23"}, silent: []string{"TTL 2"}},
		photos: []photo{
			desk("sixtyfour", "Sixty-four paths", "theme=light"),
			phone("sixtyfour-phone", "Sixty-four paths on a phone", "theme=dark"),
		},
	},
	{
		name: "long", topology: "long", args: []string{"--paths", "255"},
		shows: shows{
			paths: 255,
			forks: []string{
				"r2 into 2", "r3 into 4", "b1 into 4", "b2 into 4", "b3 into 4", "b4 into 4", "r4 into 3", "r6 into 4",
				"e1 into 4", "e2 into 4", "e3 into 4", "e4 into 4", "r7 into 4", "r8 into 3", "r10 into 8",
				"k1 into 4", "k2 into 4", "k3 into 4", "k4 into 4", "k5 into 4", "k6 into 4", "k7 into 4", "k8 into 4",
				"r11 into 6", "n1 into 2", "n2 into 2", "r13 into 4",
			},
			slow: []string{"m5 → n2"}, silent: []string{"TTL 14"},
		},
		photos: []photo{
			desk("long", "255 paths of 30 hops", "theme=light"),
			desk("long-path", "255 paths, one of them picked", "theme=dark&path=7"),
			phone("long-phone", "255 paths on a phone", "theme=light"),
		},
	},
	{
		name: "fabric", topology: "fabric", args: []string{"--confidence", "0.999"},
		shows: shows{paths: 16, forks: []string{"leaf1 into 4", "up1 into 4", "up2 into 4", "up3 into 4", "up4 into 4"}, slow: []string{"up2 → s7"}},
		photos: []photo{
			desk("fabric", "A fabric, dark", "theme=dark"),
			desk("fabric-paths", "A fabric, coloured by path", "theme=light&colour=path"),
		},
	},
	{
		name: "unequal", topology: "unequal", args: []string{"--paths", "60"},
		shows:  shows{paths: 3, forks: []string{"r1 into 3"}, slow: []string{"r1 → short"}},
		photos: []photo{desk("unequal", "Branches of one, two and four routers", "theme=light")},
	},
	{
		name: "silent", topology: "silent",
		shows:  shows{paths: 3, forks: []string{"r1 into 3"}, silent: []string{"TTL 2", "TTL 4", "TTL 5", "TTL 7"}},
		photos: []photo{desk("silent", "Routers that never answer", "theme=light")},
	},
	{
		name: "tunnel", topology: "tunnel", args: []string{"--paths", "24"},
		shows: shows{
			paths: 2, forks: []string{"pe1 into 2"}, slow: []string{"p2 → q2"},
			signs: []string{"AS64496", "AS64500", "AS64511", "tunnel of 6 routers"},
		},
		photos: []photo{desk("tunnel", "An MPLS tunnel in each of two branches", "theme=light")},
	},
	{
		name: "nat", topology: "cgnat", args: []string{"--paths", "60"},
		shows: shows{
			paths: 4, forks: []string{"r2 into 4"},
			signs: []string{"address translation before TTL 2", "address translation before TTL 4"},
		},
		photos: []photo{desk("nat", "A carrier's NAT behind that of a home", "theme=light")},
	},
	{
		name: "exchange", topology: "ixp", args: []string{"--paths", "60"},
		shows: shows{
			paths: 4, forks: []string{"pe1 into 4"}, slow: []string{"gw → pe1", "p1 → pe2"}, silent: []string{"TTL 6"},
			signs: []string{"AS64500", "AS64501", "exchange point EX-IX", "AS64502", "tunnel of 4 routers"},
		},
		photos: []photo{
			desk("exchange", "Across an exchange point, with owners and a tunnel", "theme=dark"),
		},
	},
	{
		name: "loss", topology: "loss", args: []string{"--paths", "255"},
		shows: shows{paths: 8, forks: []string{"r1 into 4", "c into 2"}, lost: []string{"a2 → c"}, local: []string{"a4"}},
		photos: []photo{
			desk("loss", "Loss that persists, and loss that is none", "theme=light"),
			desk("loss-dark", "The same, coloured by loss", "theme=dark&colour=loss"),
		},
	},
	{
		name: "wide", topology: "wide", args: []string{"--confidence", "0.999"},
		shows:  shows{paths: 128, forks: []string{"c into 128"}, slow: []string{"c → w100"}},
		photos: []photo{desk("wide", "128 next hops: a bar", "theme=light")},
	},
	{
		name: "ends", topology: "ends", args: []string{"--paths", "24"},
		shows:  shows{paths: 3, forks: []string{"r2 into 3"}, ends: []string{"b1: silent", "b2: unreachable", "d2: silent"}},
		photos: []photo{desk("ends", "A destination that never answered", "theme=light")},
	},
	{
		name: "relax", topology: "relax", args: []string{"--seed", "3"},
		shows: shows{
			paths: 2, forks: []string{"border into 2"},
			signs: []string{"AS64500", "relax at border", "AS64501", "exchange point EX-IX", "AS64502", "AS64503"},
		},
		photos: []photo{
			desk("relax", "One border, two neighbours: as-path multipath-relax", "theme=light"),
			desk("relax-border", "The card of the border that is left by two ways, dark", "theme=dark&node=2/192.0.2.9"),
			phone("relax-phone", "The same on a phone", "theme=light"),
		},
	},
	{
		name: "ports", topology: "ixp-ports", args: []string{"--seed", "3", "--vary", "dst"},
		shows: shows{
			paths: 2, forks: []string{"border into 2"},
			signs: []string{"AS64500", "2 ports at border", "exchange point EX-IX", "AS64503", "port 1 of 2 at port1", "port 2 of 2 at port2"},
		},
		photos: []photo{desk("ports", "Parallel ports of one member, seen by varying the destination", "theme=dark")},
	},
	{
		name: "relax-off", topology: "relax", after: "relax-off", args: []string{"--seed", "3"},
		verdict: "next hop 198.51.100.82 (right.ex-ix.example) at TTL 3 behind 192.0.2.9 (border.example.net) gone",
		shows: shows{
			paths: 2, forks: []string{"border into 2"},
			signs: []string{"AS64500", "relax at border", "AS64501", "exchange point EX-IX", "AS64502", "AS64503"},
		},
		photos: []photo{
			desk("relax-off", "Before and after: one of two neighbours is taken out", "theme=light"),
			desk("relax-off-dark", "The same, dark, as owners", "theme=dark&group=as"),
			phone("relax-off-phone", "The same on a phone", "theme=light"),
		},
	},
	{
		name: "kernel-d", topology: "d", kernel: true, args: []string{"--paths", "255"},
		shows:  shows{paths: 16, forks: []string{"198.18.0.3 into 4", "198.18.0.8 into 4"}},
		photos: []photo{desk("kernel-d", "Kernels: sixteen paths", "theme=light")},
	},
	{
		name: "kernel-tree", topology: "tree", kernel: true, args: []string{"--paths", "128"},
		shows: shows{
			paths: 8,
			forks: []string{
				"198.18.0.3 into 2", "198.18.0.4 into 2", "198.18.0.5 into 2", "198.18.0.6 into 2",
				"198.18.0.7 into 2", "198.18.0.8 into 2", "198.18.0.9 into 2",
			},
		},
		photos: []photo{desk("kernel-tree", "Kernels: routers that split in two and join again", "theme=dark")},
	},
	{
		name: "kernel-f", topology: "f", kernel: true, args: []string{"--confidence", "0.999"},
		shows:  shows{paths: 64, forks: []string{"198.18.0.3 into 64"}},
		photos: []photo{desk("kernel-f", "Kernels: one router with 64 next hops", "theme=light")},
	},
}
