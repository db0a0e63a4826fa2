// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// mtu is that of the device and the most that is read from it at once.
const mtu = 1500

// readBatch is how many packets are read before replies get their turn, so
// that a flood of probes cannot keep replies waiting.
const readBatch = 32

// wakeUp is what a sleeping thread may need to wake up, in a virtual machine
// above all. That long before a reply is due, the thread asks instead of
// sleeping.
const wakeUp = 100 * time.Microsecond

// TUN is a network behind a device of the kernel's: what the kernel routes
// into the device goes into the network, and replies come out of the device at
// their due time, in real time. Replies to the device's packets are for the
// device alone; no Wire sees them, nor the device those of wires.
//
// It owns one goroutine, which keeps a thread to itself and ends with Close.
type TUN struct {
	n      *Network
	device int // file descriptors
	stop   int
	name   string
	queue  queue // guarded by n.mu

	running sync.WaitGroup
	failed  error // why the goroutine ended before Close; read after running
}

// OpenTUN makes a TUN device with the given name ("" lets the kernel choose
// one) in the calling thread's network namespace, with the addresses of the
// source node and routes to all other nodes, and puts the network behind it.
// It needs /dev/net/tun and CAP_NET_ADMIN; without the latter the error is
// os.ErrPermission.
func OpenTUN(n *Network, name string) (*TUN, error) {
	device, name, err := createDevice(name)
	if err != nil {
		return nil, fmt.Errorf("open TUN device: %w", err)
	}
	if err := configureDevice(n.t, name); err != nil {
		return nil, errors.Join(fmt.Errorf("configure TUN device %s: %w", name, err), unix.Close(device))
	}
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open event descriptor: %w", err), unix.Close(device))
	}
	t := &TUN{n: n, device: device, stop: stop, name: name}
	n.mu.Lock()
	n.begin()
	n.mu.Unlock()
	t.running.Go(func() { t.failed = t.run() })
	return t, nil
}

// Name is the device's.
func (t *TUN) Name() string { return t.name }

// Close removes the device and waits for the goroutine. It returns what ended
// the goroutine early, if anything did. It must be called once.
func (t *TUN) Close() error {
	_, err := unix.Write(t.stop, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	t.running.Wait()
	return errors.Join(t.failed, err, unix.Close(t.device), unix.Close(t.stop))
}

// run moves packets until stop is written to. Timers of the Go runtime wait
// in whole milliseconds when a process is idle, and kernels put off ppoll by
// 50 µs unless asked not to; hence the thread of its own.
func (t *TUN) run() error {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	const slack = 1        // nanosecond; 0 would mean the default
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, slack, 0, 0, 0); err != nil {
		return fmt.Errorf("set timer slack: %w", err)
	}
	// On a busy machine, ahead of the rest; without the right to be, with them.
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -20)
	packet := make([]byte, mtu)
	for {
		limit := t.deliver()
		if limit < forever {
			limit = max(0, limit-wakeUp)
		}
		stop, readable, err := t.wait(limit)
		if stop || err != nil {
			return err
		}
		if !readable {
			continue
		}
		if err := t.read(packet); err != nil {
			return err
		}
	}
}

// wait returns when the device has packets, stop is written to or the time is
// over.
func (t *TUN) wait(limit time.Duration) (stop, readable bool, err error) {
	fds := []unix.PollFd{{Fd: int32(t.device), Events: unix.POLLIN}, {Fd: int32(t.stop), Events: unix.POLLIN}}
	var timeout *unix.Timespec
	if limit < forever {
		span := unix.NsecToTimespec(int64(limit))
		timeout = &span
	}
	if _, err := unix.Ppoll(fds, timeout, nil); err != nil && !errors.Is(err, unix.EINTR) {
		return false, false, fmt.Errorf("wait for TUN device: %w", err)
	}
	return fds[1].Revents != 0, fds[0].Revents != 0, nil
}

// read takes packets from the device into the network.
func (t *TUN) read(packet []byte) error {
	for range readBatch {
		k, err := unix.Read(t.device, packet)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("read from TUN device: %w", err)
		}
		t.n.mu.Lock()
		// What is no packet was not meant for the network: it draws no answer.
		_ = t.n.carry(packet[:k], time.Since(t.n.epoch), []*queue{&t.queue})
		t.n.mu.Unlock()
	}
	return nil
}

// deliver writes what is due to the device and returns how long it is until
// the next packet is.
func (t *TUN) deliver() time.Duration {
	n := t.n
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		due, ok := t.queue.next()
		if !ok {
			return forever
		}
		if wait := due - time.Since(n.epoch); wait > 0 {
			return wait
		}
		a := t.queue.pop()
		// A device that is down or full loses packets, as networks do.
		_, _ = unix.Write(t.device, a.data)
		n.release(a.data)
	}
}
