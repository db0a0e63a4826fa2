// SPDX-License-Identifier: BSD-3-Clause

// Package dnstest is a name server for tests: on loopback, or in memory, where
// time is virtual.
package dnstest

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Server answers questions. Its fields do not change while it is asked.
type Server struct {
	// Answer returns the records of a name, which ends with a dot: host names for
	// PTR, texts for TXT. None is "no such name".
	Answer func(name string, kind dnsmessage.Type) []string
	// Delay is how long each answer takes; below zero nothing is answered.
	Delay time.Duration
	// Mangle damages an answer, if it is set.
	Mangle func(message []byte) []byte
	// Code is what is answered instead, if it is set.
	Code dnsmessage.RCode

	mu              sync.Mutex
	asked           []string // names in the order of questions
	together, atMax int
}

// Records answers from a table by name and type, such as "1.2.0.192.in-addr.arpa.
// PTR".
func Records(table map[string][]string) func(string, dnsmessage.Type) []string {
	return func(name string, kind dnsmessage.Type) []string {
		return table[name+" "+strings.TrimPrefix(kind.String(), "Type")]
	}
}

// Reverse is the name that the PTR record of an IPv4 address is asked by.
func Reverse(a netip.Addr) string {
	b := a.As4()
	return netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]}).String() + ".in-addr.arpa."
}

// Asked returns the names of all questions so far.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// MostAtOnce returns how many questions waited for an answer at one time.
func (s *Server) MostAtOnce() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.atMax
}

// Listen answers on loopback, over UDP and TCP, until the test ends.
func (s *Server) Listen(t testing.TB) netip.AddrPort {
	t.Helper()
	address, stop, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return address
}

// Start answers on loopback, over UDP and TCP, until stop is called.
func (s *Server) Start() (address netip.AddrPort, stop func(), err error) {
	for range 20 { // the port may be taken for one of the two
		stream, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return netip.AddrPort{}, nil, err
		}
		address := netip.MustParseAddrPort(stream.Addr().String())
		packets, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(address))
		if err != nil {
			stream.Close()
			continue
		}
		go s.servePackets(packets)
		go s.serveStreams(stream)
		return address, func() {
			stream.Close()
			packets.Close()
		}, nil
	}
	return netip.AddrPort{}, nil, errors.New("no port is free for both UDP and TCP")
}

// largest is what the resolver says that it takes over UDP.
const largest = 1232

func (s *Server) servePackets(c *net.UDPConn) {
	buffer := make([]byte, 1<<16)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		question := append([]byte(nil), buffer[:n]...)
		go func() {
			answer := s.respond(question)
			if len(answer) > largest {
				answer = truncated(answer)
			}
			if answer != nil {
				_, _ = c.WriteToUDPAddrPort(answer, from) // who asked may have gone
			}
		}()
	}
}

// truncated is the header alone, with the bit that says so (RFC 1035, 4.1.1), and
// the question.
func truncated(answer []byte) []byte {
	var p dnsmessage.Parser
	header, err := p.Start(answer)
	if err != nil {
		return nil
	}
	questions, err := p.AllQuestions()
	if err != nil {
		return nil
	}
	header.Truncated = true
	m := dnsmessage.Message{Header: header, Questions: questions}
	b, err := m.Pack()
	if err != nil {
		return nil
	}
	return b
}

func (s *Server) serveStreams(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go s.serveStream(c)
	}
}

// serveStream answers with the length before each message (RFC 1035, 4.2.2).
func (s *Server) serveStream(c net.Conn) {
	defer c.Close()
	var length [2]byte
	for {
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		question := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, question); err != nil {
			return
		}
		answer := s.respond(question)
		if answer == nil {
			continue
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

// Dial is a net.Resolver.Dial that reaches the server in memory.
func (s *Server) Dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go s.serveStream(far)
	return near, nil
}

func (s *Server) respond(question []byte) []byte {
	var p dnsmessage.Parser
	header, err := p.Start(question)
	if err != nil {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	s.count(q.Name.String())
	defer s.done()
	if s.Delay < 0 {
		return nil
	}
	time.Sleep(s.Delay)
	answer := s.answer(header.ID, q)
	if s.Mangle != nil {
		answer = s.Mangle(answer)
	}
	return answer
}

func (s *Server) count(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, name)
	s.together++
	s.atMax = max(s.atMax, s.together)
}

func (s *Server) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.together--
}

func (s *Server) answer(id uint16, q dnsmessage.Question) []byte {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, Response: true, RecursionAvailable: true, RCode: s.Code},
		Questions: []dnsmessage.Question{q},
	}
	var records []string
	if s.Code == dnsmessage.RCodeSuccess && s.Answer != nil {
		records = s.Answer(q.Name.String(), q.Type)
	}
	if len(records) == 0 && s.Code == dnsmessage.RCodeSuccess {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, record := range records {
		r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 60}}
		if q.Type == dnsmessage.TypePTR {
			r.Body = &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(record)}
		} else {
			r.Body = &dnsmessage.TXTResource{TXT: pieces(record)}
		}
		m.Answers = append(m.Answers, r)
	}
	b, err := m.Pack()
	if err != nil {
		panic("dnstest: " + err.Error())
	}
	return b
}

// pieces cuts a text into strings of 255 bytes, the longest there are.
func pieces(text string) []string {
	var out []string
	for len(text) > 255 {
		out = append(out, text[:255])
		text = text[255:]
	}
	return append(out, text)
}
