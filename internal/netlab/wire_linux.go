// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// wire is a link that takes time, as a long cable does: a TUN device in the
// namespace of each end, between which this process carries the packets. (Kernels
// have netem for it, but not all of them do.) It owns four goroutines, which end
// when the devices are closed.
type wire struct {
	ends [2]*os.File
	done sync.WaitGroup
}

// addWires has the links that take time carried by wires: routes lead over those
// then, and the links stay idle.
func (b *builder) addWires() error {
	if b.lab.options.IgnoreTiming {
		return nil
	}
	for e := range b.t.Edges {
		edge := &b.t.Edges[e]
		if edge.Delay == 0 {
			continue
		}
		w := &wire{}
		b.lab.wires = append(b.lab.wires, w)
		l := &b.links[e]
		l.name = "w" + l.name[1:]
		for end, index := range []*int{&l.from, &l.to} {
			mtu := etherMTU
			if end == 0 && edge.MTU != 0 {
				mtu = edge.MTU
			}
			at := l.nodes[end]
			err := inNamespace(b.lab.namespaces[at], func() (err error) {
				w.ends[end], err = openWire(l.name)
				return err
			})
			if err == nil {
				*index, err = b.nodes[at].bringUp(l.name, mtu)
			}
			if err != nil {
				return fmt.Errorf("wire %s of %s: %w", l.name, b.t.Nodes[at].Name, err)
			}
		}
		w.carry(0, edge.Delay)
		w.carry(1, edge.Delay)
	}
	return nil
}

// openWire makes a TUN device in the calling thread's namespace.
func openWire(name string) (*os.File, error) {
	const path = "/dev/net/tun"
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI) // reads and writes are IP packets
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a TUN device: %w", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), path), nil
}

// bringUp sets a device up and returns its index.
func (n *buildNode) bringUp(name string, mtu int) (int, error) {
	device, err := n.routes.LinkByName(name)
	if err != nil {
		return 0, err
	}
	return device.Attrs().Index, errors.Join(n.routes.LinkSetMTU(device, mtu), n.routes.LinkSetUp(device))
}

// carry hands on what comes in at one end, as much later as the wire is long.
func (w *wire) carry(from int, delay time.Duration) {
	type packet struct {
		due  time.Time
		data []byte
	}
	const room = 4096 // packets under way; the device drops what comes while there are more
	underway := make(chan packet, room)
	w.done.Go(func() {
		defer close(underway)
		for {
			buffer := make([]byte, etherMTU)
			n, err := w.ends[from].Read(buffer)
			if err != nil { // it was closed
				return
			}
			underway <- packet{time.Now().Add(delay), buffer[:n]}
		}
	})
	w.done.Go(func() {
		for p := range underway {
			time.Sleep(time.Until(p.due))
			_, _ = w.ends[1-from].Write(p.data) // what cannot be delivered is lost, as on any wire
		}
	})
}

// cutWires ends all wires.
func (l *Lab) cutWires() error {
	var err error
	for _, w := range l.wires {
		for _, end := range w.ends {
			if end != nil {
				err = errors.Join(err, end.Close())
			}
		}
	}
	for _, w := range l.wires {
		w.done.Wait()
	}
	l.wires = nil
	return err
}
