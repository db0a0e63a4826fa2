// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"time"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// readFirewall asks nft, which needs CAP_NET_ADMIN. It is looked for where
// systems put it rather than in $PATH, since it runs with the rights of root.
func readFirewall(ctx context.Context) *firewallFacts {
	f := &firewallFacts{known: true}
	f.permitted, _ = cap.GetProc().GetFlag(cap.Effective, cap.NET_ADMIN) // an error is a no
	if !f.permitted {
		return f
	}
	for _, tables := range []string{"proc/net/ip_tables_names", "proc/net/ip6_tables_names"} {
		f.legacy = f.legacy || readLine(os.DirFS("/"), tables) != ""
	}
	for _, path := range []string{"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"} {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		f.installed = true
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		command := exec.CommandContext(ctx, path, "-j", "list", "ruleset")
		command.WaitDelay = time.Second
		text, err := command.Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && bytes.Contains(exit.Stderr, []byte("not permitted")) {
			f.permitted = false // the right is one of a user namespace, and the network is not
		}
		if f.err = err; err == nil {
			f.rules, f.err = decodeRuleset(text)
		}
		return f
	}
	return f
}
