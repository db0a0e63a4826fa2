// SPDX-License-Identifier: BSD-3-Clause

// Command screenshot makes the picture of the live screen: it runs traceflow in
// a terminal of tmux, on a network in memory, and draws what stands there after
// so many rounds as SVG. The network and its chance are fixed, so the picture
// stays the same as long as the screen does.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed live.txtar
var network []byte

func main() {
	binary := flag.String("traceflow", "./traceflow", "the `file` to run")
	out := flag.String("out", "docs/images/tui.svg", "the `file` to write")
	width := flag.Int("width", 100, "of the terminal, in `cells`")
	height := flag.Int("height", 28, "of the terminal, in `cells`")
	rounds := flag.Int("rounds", 60, "`count` to wait for")
	flag.Parse()
	if err := run(*binary, *out, *width, *height, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "screenshot:", err)
		os.Exit(1)
	}
}

func run(binary, out string, width, height, rounds int) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "screenshot-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "live.txtar")
	if err := os.WriteFile(file, network, 0o600); err != nil {
		return err
	}
	t := tmux{filepath.Join(folder, "tmux")}
	// One snapshot for each round: they come twice a second at most.
	command := fmt.Sprintf("env LC_ALL=C.UTF-8 COLORTERM=truecolor '%s' --sim '%s' --tui --interval 0.6", binary, file)
	if _, err := t.run("-f", "/dev/null", "set-option", "-gs", "default-terminal", "tmux-256color", ";", "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), command); err != nil {
		return err
	}
	defer t.run("kill-server") //nolint:errcheck // it is gone in any case
	// The path that loses is the one to look at.
	if err := t.await("round 2 "); err != nil {
		return err
	}
	if _, err := t.run("send-keys", "Down"); err != nil {
		return err
	}
	if err := t.await(fmt.Sprintf("round %d ", rounds)); err != nil {
		return err
	}
	text, err := t.run("capture-pane", "-p", "-e")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	return os.WriteFile(out, []byte(draw(parse(text), width, height)), 0o644)
}

// tmux is a server of its own, at a socket.
type tmux struct{ socket string }

func (t tmux) run(args ...string) (string, error) {
	cmd := exec.Command("tmux", append([]string{"-S", t.socket}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TERM=xterm-256color")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("tmux %s: %w: %s", args[0], err, out)
	}
	return string(out), nil
}

// await waits until a text stands on the screen.
func (t tmux) await(text string) error {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		screen, err := t.run("capture-pane", "-p")
		if err != nil {
			return err
		}
		if strings.Contains(screen, text) {
			return nil
		}
	}
	return fmt.Errorf("no %q on the screen", text)
}
