// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"context"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"
)

// mostQuestions are asked at once. With 64 a resolver that takes 300 ms an
// answer gives 200 of them in 1.2 s, and no home router's resolver minds.
const mostQuestions = 64

// newResolver returns a resolver that asks one server, or those that the system
// is set up with if that is not valid.
//
// It is Go's own resolver, not the system's: the system's cannot be interrupted,
// so that one dead server would hold up the end of the process, and takes a
// thread for each question. What it costs are names that the system has from
// elsewhere than DNS and its hosts file, such as mDNS. Go's reads resolv.conf
// and the hosts file, and on Windows asks for the servers. It drops what is no
// name of a host (letters, digits, hyphens, underscores) from PTR records.
func newResolver(server netip.AddrPort) *net.Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if server.IsValid() {
				address = server.String()
			}
			var d net.Dialer
			c, err := d.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return endWith(ctx, c), nil
		},
	}
}

// endWith has a connection closed when the context ends: the resolver keeps to
// the context's deadline, but waits for that when the context is cancelled.
func endWith(ctx context.Context, c net.Conn) net.Conn {
	context.AfterFunc(ctx, func() { c.Close() })
	return c
}

// How long what was asked is believed. Resolvers do not pass on how long a
// record holds; a name that changes while a screen is watched is news after an
// hour. A failure says little, and is soon asked again.
const (
	keepFound   = time.Hour
	keepMissing = 10 * time.Minute
	keepFailed  = 15 * time.Second
)

// maxCached bounds a cache: a screen that runs for months meets so many
// addresses only if somebody makes them up.
const maxCached = 1 << 14

// answer is what came of a question.
type answer[V any] struct {
	value V
	found bool
	// asked is when it was; until, when it has to be asked again.
	asked, until time.Time
}

// asker asks many questions at once and remembers the answers.
type asker[K comparable, V any] struct {
	// ask returns what it was told. An error is no answer at all; to be told
	// that there is nothing is none.
	ask func(ctx context.Context, key K) (value V, found bool, err error)

	mu    sync.Mutex
	known map[K]answer[V]
}

// all returns what is known of the keys when all are answered or the context
// ends. It leaves nothing running.
func (a *asker[K, V]) all(ctx context.Context, keys []K) map[K]answer[V] {
	out, missing := a.remembered(keys)
	next := make(chan K)
	var wait sync.WaitGroup
	for range min(mostQuestions, len(missing)) {
		wait.Go(func() {
			for key := range next {
				a.one(ctx, key)
			}
		})
	}
feed:
	for _, key := range missing {
		select {
		case next <- key:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	wait.Wait()
	fresh, _ := a.remembered(missing)
	maps.Copy(out, fresh)
	return out
}

// remembered returns what is known, and the keys that have to be asked.
func (a *asker[K, V]) remembered(keys []K) (found map[K]answer[V], missing []K) {
	a.mu.Lock()
	defer a.mu.Unlock()
	found = make(map[K]answer[V])
	now := time.Now()
	for _, key := range keys {
		switch x, ok := a.known[key]; {
		case !ok || now.After(x.until):
			missing = append(missing, key)
		case x.found:
			found[key] = x
		}
	}
	return found, missing
}

// one asks one question.
func (a *asker[K, V]) one(ctx context.Context, key K) {
	x := answer[V]{asked: time.Now()}
	keep := keepMissing
	var err error
	x.value, x.found, err = a.ask(ctx, key)
	switch {
	case err != nil:
		keep = keepFailed
	case x.found:
		keep = keepFound
	}
	x.until = time.Now().Add(keep)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= maxCached {
		a.forget()
	}
	if a.known == nil {
		a.known = make(map[K]answer[V])
	}
	a.known[key] = x
}

// forget drops what is too old, and if that is not enough, everything.
func (a *asker[K, V]) forget() {
	now := time.Now()
	for key, x := range a.known {
		if now.After(x.until) {
			delete(a.known, key)
		}
	}
	if len(a.known) >= maxCached {
		clear(a.known)
	}
}
