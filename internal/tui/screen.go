// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"context"
	"errors"
	"fmt"
	"io"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"traceflow"
	"traceflow/internal/watch"
)

// The smallest terminal that the screen is of use in.
const (
	MinWidth  = 40
	MinHeight = 10
)

// framesPerSecond bounds how often the terminal is written to. Measurements
// change the screen twice a second; the rest is for keys.
const framesPerSecond = 10

// Options are what a screen is made with.
type Options struct {
	// Target is what the destination is called, and How what is sent to it.
	Target, How string
	// Color is whether there are colours; without them, signs say it all.
	Color bool
	// ASCII draws with the characters that every terminal has.
	ASCII bool
	// Mask is how many hops to hide.
	Mask int
	// Reset is called when statistics are to begin anew.
	Reset func()
}

// Screen is a live screen.
type Screen struct {
	program *tea.Program
	model   *model // the program's, and nobody else's before Run returns
}

// New prepares a screen on a terminal.
func New(in io.Reader, out io.Writer, o Options) *Screen {
	options := []tea.ProgramOption{
		tea.WithInput(in), tea.WithOutput(out), tea.WithFPS(framesPerSecond),
		// Whoever runs the screen has signals end its context.
		tea.WithoutSignalHandler(),
	}
	if !o.Color {
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
	}
	m := newModel(o)
	return &Screen{tea.NewProgram(m, options...), m}
}

// Run shows the screen until it is left, Close is called or ctx ends, and then
// gives the terminal back as it was.
func (s *Screen) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.Close)
	defer stop()
	if _, err := s.program.Run(); err != nil && !errors.Is(err, tea.ErrProgramKilled) {
		return fmt.Errorf("live screen: %w", err)
	} else if errors.Is(err, tea.ErrProgramPanic) {
		return fmt.Errorf("live screen: %w", err)
	}
	return nil
}

// Mask returns how many hops were hidden when the screen was left. It is called
// after Run.
func (s *Screen) Mask() int { return s.model.mask }

// Close leaves the screen. It may be called by any goroutine.
func (s *Screen) Close() { s.program.Quit() }

// Abort gives the terminal back at once, because the process is about to die.
func (s *Screen) Abort() { s.program.Kill() }

// Looking shows how far the discovery is.
func (s *Screen) Looking(stats traceflow.Stats) { s.program.Send(lookingMsg(stats)) }

// Found shows what was found. The trace must not change any more.
func (s *Screen) Found(t *traceflow.Trace) { s.program.Send(foundMsg{t}) }

// Named shows what is known of the addresses of what was found. The annotations
// must not change any more.
func (s *Screen) Named(a traceflow.Annotations) { s.program.Send(namedMsg(a)) }

// Measured shows what was measured since.
func (s *Screen) Measured(m watch.Snapshot) { s.program.Send(measuredMsg(m)) }

// The messages of the model, beside keys and sizes.
type (
	lookingMsg  traceflow.Stats
	foundMsg    struct{ trace *traceflow.Trace }
	namedMsg    traceflow.Annotations
	measuredMsg watch.Snapshot
)
