// SPDX-License-Identifier: BSD-3-Clause

// Package web serves one page, and its newest state, to browsers: those of this
// machine, or those further away that know a token.
//
// It knows nothing of traces: a state is a title and JSON. It gives out what the
// page consists of and nothing else, takes nothing, and keeps no state but the
// newest: a browser that is slow misses some, and memory does not grow. Who may
// ask is decided in guard.go; to serve more, add a line to Server.pages in New.
package web

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"traceflow/internal/page"
)

// What one program can have of us, whatever it sends.
const (
	mostConnections = 256
	mostStreams     = 64
	mostHeader      = 16 << 10 // bytes

	headerTime = 5 * time.Second  // to send a request
	answerTime = 60 * time.Second // to take an answer
	idleTime   = time.Minute      // between two requests
	// closeTime is how long Close waits for answers that are under way.
	closeTime = 2 * time.Second
)

// Server serves a page on a listener. Its methods may be called from several
// goroutines. It owns those of its net/http.Server, which end before Serve
// returns.
type Server struct {
	listener net.Listener
	guard    *guard
	http     http.Server
	pages    map[string]http.HandlerFunc // by path
	open     atomic.Int64                // connections
	streams  atomic.Int64

	closing chan struct{} // closed by Close, once bye is set
	closed  chan struct{} // closed by Close, when all is over
	closer  sync.Once
	bye     string

	mu     sync.Mutex // guards what follows
	newest state
}

// state is what the page shows.
type state struct {
	version  int
	title    string
	data     []byte
	outdated chan struct{} // closed when there is a newer one
}

// New returns a server of a page that shows data, which are JSON. It takes a
// token where the listener can be reached from other machines.
func New(listener net.Listener, title string, data []byte) *Server {
	s := &Server{
		listener: listener, guard: newGuard(listener.Addr()),
		closing: make(chan struct{}), closed: make(chan struct{}),
		newest: state{version: 1, title: title, data: data, outdated: make(chan struct{})},
	}
	s.http = http.Server{
		Handler:           http.HandlerFunc(s.handle),
		ReadHeaderTimeout: headerTime, WriteTimeout: answerTime, IdleTimeout: idleTime,
		MaxHeaderBytes: mostHeader,
		ConnState:      s.limit,
		// What somebody else did wrong is nothing for our terminal.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	s.pages = map[string]http.HandlerFunc{
		"/":               s.frame,
		"/" + page.Script: fixed("text/javascript; charset=utf-8", page.ServedScript()),
		"/" + page.Style:  fixed("text/css; charset=utf-8", page.ServedStyle()),
		"/" + page.Data:   s.data,
		"/" + page.Events: s.events,
	}
	return s
}

// Show has the page show something else from now on.
func (s *Server) Show(title string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.newest.outdated)
	s.newest = state{version: s.newest.version + 1, title: title, data: data, outdated: make(chan struct{})}
}

func (s *Server) state() state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}

// Serve answers requests until Close is called, which is no error, or the
// listener fails.
func (s *Server) Serve() error {
	err := s.http.Serve(s.listener)
	if !errors.Is(err, http.ErrServerClosed) {
		s.Close("The program that served this page has failed.")
		return err
	}
	<-s.closed
	return nil
}

// Close tells every open page goodbye with a line of text and ends Serve.
func (s *Server) Close(bye string) {
	s.closer.Do(func() {
		s.bye = bye
		close(s.closing)
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		if s.http.Shutdown(ctx) != nil { // somebody takes very long
			_ = s.http.Close() // there is nothing more to be done
		}
		_ = s.listener.Close() // which Shutdown does only if Serve has begun
		close(s.closed)
	})
	<-s.closed
}

// limit closes connections beyond the most there may be.
func (s *Server) limit(c net.Conn, to http.ConnState) {
	switch to {
	case http.StateNew:
		if s.open.Add(1) > mostConnections {
			_ = c.Close() // the sooner the better
		}
	case http.StateClosed, http.StateHijacked:
		s.open.Add(-1)
	default:
	}
}

// handle answers one request.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	if r.ContentLength != 0 { // nor is it waited for
		w.Header().Set("Connection", "close")
		_ = http.NewResponseController(w).SetReadDeadline(time.Now()) // net/http's own has it
	}
	answer, found := s.pages[r.URL.Path]
	switch refused := s.guard.refuses(r); {
	case refused != "":
		http.Error(w, refused, http.StatusForbidden)
	case s.guard.admits(w, r):
	case !s.guard.admitted(r):
		http.Error(w, notAdmitted, http.StatusForbidden)
	case !found:
		http.Error(w, "There is nothing here.", http.StatusNotFound)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "This page takes nothing.", http.StatusMethodNotAllowed)
	case r.ContentLength != 0:
		http.Error(w, "This page takes nothing.", http.StatusRequestEntityTooLarge)
	default:
		answer(w, r)
	}
}

// headers are those of every answer.
var headers = map[string]string{
	"Cache-Control":                "no-store",
	"Content-Security-Policy":      page.ServedPolicy(),
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
}

func (s *Server) frame(w http.ResponseWriter, r *http.Request) {
	fixed("text/html; charset=utf-8", page.Served(s.state().title))(w, r)
}

func (s *Server) data(w http.ResponseWriter, r *http.Request) {
	newest := s.state()
	w.Header().Set("ETag", strconv.Quote(strconv.Itoa(newest.version)))
	fixed("application/json", newest.data)(w, r)
}

// fixed answers with some bytes.
func fixed(kind string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) // who has gone away needs no answer
	}
}
