package proxy

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"
)

// conn passes messages between a client and its broker: two goroutines in each
// direction, one that reads into a queue and one that takes from it, so that
// neither side notices when the other is held up.
type conn struct {
	link           *Link
	client, server net.Conn
	closed         chan struct{} // when nothing may pass any more
	ended          chan struct{} // when the broker has closed its end
	once           sync.Once

	mu      sync.Mutex
	waiting map[int32]Message // requests without a response, by correlation id
}

func newConn(l *Link, client, server net.Conn) *conn {
	return &conn{link: l, client: client, server: server, closed: make(chan struct{}), ended: make(chan struct{}), waiting: map[int32]Message{}}
}

func (c *conn) start() {
	up, down := newQueue(), newQueue()
	go up.fill(c.client)
	go down.fill(c.server)
	go c.up(up)
	go c.down(down)
}

// cutOff ends the connection for the client only.
func (c *conn) cutOff() {
	c.once.Do(func() { close(c.closed) })
	c.client.Close()
}

// closeBoth ends the connection at once.
func (c *conn) closeBoth() {
	c.cutOff()
	c.server.Close()
}

func (c *conn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// up passes on requests until the client is gone and all that it wrote has been
// delivered, or the link is cut.
func (c *conn) up(q *queue) {
	defer func() {
		if c.link.isCut() {
			return
		}
		c.client.Close()
		if d := c.link.linger(); d > 0 {
			t := time.NewTimer(d)
			defer t.Stop()
			select {
			case <-t.C:
			case <-c.ended:
			}
		}
		c.closeBoth()
		c.link.forget(c)
	}()
	for {
		frame, ok := q.take()
		if !ok {
			return
		}
		m, id := request(frame)
		c.mu.Lock()
		c.waiting[id] = m
		c.mu.Unlock()
		if !c.deliver(m, frame, c.server) {
			return
		}
	}
}

// down passes on responses until the broker is gone. A client that is gone does
// not end it: the broker must not wait for somebody to read.
func (c *conn) down(q *queue) {
	defer close(c.ended)
	for {
		frame, ok := q.take()
		if !ok {
			break
		}
		c.mu.Lock()
		id := correlation(frame)
		m := c.waiting[id]
		delete(c.waiting, id)
		c.mu.Unlock()
		m.Response = true
		c.deliver(m, frame, c.client)
	}
	c.closeBoth()
}

func (c *conn) deliver(m Message, frame []byte, to net.Conn) bool {
	c.link.hook(m)
	c.link.pass(c)
	if c.isClosed() {
		return false
	}
	_, err := to.Write(frame)
	return err == nil
}

// request reads the header that all requests share, and the correlation id.
func request(frame []byte) (Message, int32) {
	const fixed = 4 + 2 + 2 + 4 + 2
	if len(frame) < fixed {
		return Message{}, 0
	}
	m := Message{
		Key:     int16(binary.BigEndian.Uint16(frame[4:])),
		Version: int16(binary.BigEndian.Uint16(frame[6:])),
	}
	if n := int(int16(binary.BigEndian.Uint16(frame[12:]))); n > 0 && fixed+n <= len(frame) {
		m.Client = string(frame[fixed : fixed+n])
	}
	return m, int32(binary.BigEndian.Uint32(frame[8:]))
}

func correlation(frame []byte) int32 {
	if len(frame) < 8 {
		return 0
	}
	return int32(binary.BigEndian.Uint32(frame[4:]))
}

// queue holds messages without bound: what is held up must not push back.
type queue struct {
	mu     sync.Mutex
	cond   *sync.Cond
	frames [][]byte
	ended  bool
}

func newQueue() *queue {
	q := &queue{}
	q.cond = sync.NewCond(&q.mu)
	return q
}

// fill reads messages until the connection ends.
func (q *queue) fill(from net.Conn) {
	for {
		frame, err := read(from)
		q.mu.Lock()
		if err != nil {
			q.ended = true
		} else {
			q.frames = append(q.frames, frame)
		}
		q.cond.Signal()
		q.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// maxFrame is more than any broker sends or takes.
const maxFrame = 256 << 20

// read reads one message with the four bytes of its size.
func read(from net.Conn) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxFrame {
		return nil, io.ErrUnexpectedEOF
	}
	frame := make([]byte, 4+n)
	copy(frame, size[:])
	_, err := io.ReadFull(from, frame[4:])
	return frame, err
}

// take returns the next message; none after the connection has ended and the
// queue is empty.
func (q *queue) take() ([]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.frames) == 0 {
		if q.ended {
			return nil, false
		}
		q.cond.Wait()
	}
	frame := q.frames[0]
	q.frames = q.frames[1:]
	return frame, true
}
