// SPDX-License-Identifier: BSD-3-Clause

package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	heartbeat = 10 * time.Second
	// eventTime is how long a browser may take to take an event.
	eventTime = 10 * time.Second
	// again is how long browsers wait before they connect anew.
	again = time.Second
)

// events is a stream that says when the page shows something else: Server-Sent
// Events of the HTML standard, section 9.2. It says which version is the newest,
// and data has it, so that a browser that is slow leaves versions out.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	if s.streams.Add(1) > mostStreams {
		s.streams.Add(-1)
		w.Header().Set("Retry-After", "10")
		http.Error(w, "Too many pages are open.", http.StatusServiceUnavailable)
		return
	}
	defer s.streams.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	to := stream{w, http.NewResponseController(w)}
	if r.Method == http.MethodHead {
		return
	}
	if to.send("retry: %d\n\n", again.Milliseconds()) != nil {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for sent := 0; ; {
		newest := s.state()
		if newest.version != sent {
			if to.send("event: changed\nid: %d\ndata: %[1]d\n\n", newest.version) != nil {
				return
			}
			sent = newest.version
		}
		select {
		case <-newest.outdated:
		case <-beat.C:
			if to.send(": still here\n\n") != nil {
				return
			}
		case <-s.closing:
			_ = to.send("event: bye\ndata: %s\n\n", oneLine(s.bye)) // it is over either way
			return
		case <-r.Context().Done(): // the browser has gone
			return
		}
	}
}

// stream sends events.
type stream struct {
	to      http.ResponseWriter
	control *http.ResponseController
}

// send does not wait for ever: no browser keeps us from going on.
func (s *stream) send(format string, args ...any) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(eventTime)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.to, format, args...); err != nil {
		return err
	}
	return s.control.Flush()
}

func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, text)
}
