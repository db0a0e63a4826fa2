// SPDX-License-Identifier: BSD-3-Clause

package simnet

import "time"

// queueLimit bounds what waits for a reader, as a socket's buffer does: more
// than half a second of the fastest prober.
const queueLimit = 1 << 18

// arrival is a packet on its way to a reader.
type arrival struct {
	due  time.Duration // since the network's epoch
	turn uint64        // first come, first served among equal due
	data []byte
}

func (a *arrival) before(b *arrival) bool {
	return a.due < b.due || a.due == b.due && a.turn < b.turn
}

// queue holds packets until they are due: a binary heap, earliest first.
type queue struct {
	heap []arrival
	turn uint64
	wake func() // called when the earliest packet has changed; may be nil
}

// push adds a packet and reports whether there was room.
func (q *queue) push(due time.Duration, data []byte) bool {
	if len(q.heap) >= queueLimit {
		return false
	}
	a := arrival{due: due, turn: q.turn, data: data}
	q.turn++
	q.heap = append(q.heap, a)
	i := len(q.heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !a.before(&q.heap[parent]) {
			break
		}
		q.heap[i] = q.heap[parent]
		i = parent
	}
	q.heap[i] = a
	if i == 0 && q.wake != nil {
		q.wake()
	}
	return true
}

// next returns when the earliest packet is due; false when there is none.
func (q *queue) next() (time.Duration, bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	return q.heap[0].due, true
}

// pop removes the earliest packet; there must be one.
func (q *queue) pop() arrival {
	first := q.heap[0]
	last := len(q.heap) - 1
	a := q.heap[last]
	q.heap[last] = arrival{}
	q.heap = q.heap[:last]
	if last == 0 {
		return first
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && q.heap[child+1].before(&q.heap[child]) {
			child++
		}
		if !q.heap[child].before(&a) {
			break
		}
		q.heap[i] = q.heap[child]
		i = child
	}
	q.heap[i] = a
	return first
}
