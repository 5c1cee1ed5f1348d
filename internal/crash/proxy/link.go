// Package proxy stands between Kafka clients and their broker and interferes. It
// knows where requests and responses begin and end, so that a connection can be
// cut, held up or slowed down before or after any one of them.
//
// To its broker and its peers a process is nothing but the requests that it sends
// and the responses that reach it. Cutting a process off before and after every
// request is therefore to kill it at every point that can make a difference.
package proxy

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// ErrCut is what dialing over a link gives once it has been cut.
var ErrCut = errors.New("the link is cut")

// Message is a request, or the response to it, about to be passed on.
type Message struct {
	// Key and Version are those of the request.
	Key, Version int16
	// Client is the client id that the request carries.
	Client string
	// Response tells the response from the request.
	Response bool
}

// Dial opens a connection.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Link is all connections of one process to its broker. They share their fate.
type Link struct {
	dial Dial
	hook func(Message)

	mu    sync.Mutex
	conns map[*conn]bool
	cut   bool
	held  chan struct{} // closed by Release; nil while nothing is held up
	delay time.Duration
	late  time.Duration
}

// NewLink returns a link over dial. The hook, which may be nil, is called before
// every message is passed on and may cut or hold up the link, which then stops
// that very message; it is called by several goroutines.
func NewLink(dial Dial, hook func(Message)) *Link {
	if hook == nil {
		hook = func(Message) {}
	}
	return &Link{dial: dial, hook: hook, conns: map[*conn]bool{}}
}

// DialContext opens a connection to the broker over the link, for kgo.Dialer.
func (l *Link) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	near, far := net.Pipe()
	if err := l.join(ctx, far, network, address); err != nil {
		near.Close()
		return nil, err
	}
	return near, nil
}

// Serve passes on what a client connection carries to the broker at an address,
// and returns at once. It closes the connection when the broker does not answer.
func (l *Link) Serve(ctx context.Context, client net.Conn, network, address string) error {
	return l.join(ctx, client, network, address)
}

func (l *Link) join(ctx context.Context, client net.Conn, network, address string) error {
	if l.isCut() {
		client.Close()
		return ErrCut
	}
	server, err := l.dial(ctx, network, address)
	if err != nil {
		client.Close()
		return err
	}
	c := newConn(l, client, server)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		c.closeBoth()
		return ErrCut
	}
	l.conns[c] = true
	c.start()
	return nil
}

// Cut ends every connection of the process, for good: what it does from now on
// reaches nobody, and what was on its way is lost. The broker is not told, as
// when a machine loses its power: to it, the connections stay open until Drop.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for c := range l.conns {
		c.cutOff()
	}
}

// Drop closes the connections that there are; new ones may follow.
func (l *Link) Drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.closeBoth()
	}
	clear(l.conns)
}

// Hold stops passing on messages until Release, in both directions. The client
// may go on writing, as it may when a network swallows its packets. What it wrote
// is delivered after Release, even if it has closed the connection meanwhile.
func (l *Link) Hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = make(chan struct{})
	}
}

// Release ends a Hold.
func (l *Link) Release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil {
		close(l.held)
		l.held = nil
	}
}

// Delay makes every message wait that long; 0 ends it.
func (l *Link) Delay(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delay = d
}

// Linger keeps the broker's end of a connection open for a while after the client
// has closed it.
func (l *Link) Linger(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.late = d
}

func (l *Link) linger() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.late
}

// Connections returns how many connections are open.
func (l *Link) Connections() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns)
}

func (l *Link) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

// pass waits until a message may be passed on.
func (l *Link) pass(c *conn) {
	l.mu.Lock()
	delay := l.delay
	l.mu.Unlock()
	if delay > 0 {
		t := time.NewTimer(delay)
		select {
		case <-t.C:
		case <-c.closed:
			t.Stop()
		}
	}
	for {
		l.mu.Lock()
		held := l.held
		l.mu.Unlock()
		if held == nil {
			return
		}
		select {
		case <-held:
		case <-c.closed:
			return
		}
	}
}

func (l *Link) forget(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}
