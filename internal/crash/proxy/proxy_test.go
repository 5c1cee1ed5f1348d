package proxy

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers every request with its own body, and counts what reached it.
type echo struct {
	reached chan string
}

func (e *echo) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		for {
			frame, err := read(far)
			if err != nil {
				return
			}
			e.reached <- string(frame[19:])
			if _, err := far.Write(response(frame)); err != nil {
				return
			}
		}
	}()
	return near, nil
}

// frameOf is a request of client "me" with API key 22.
func frameOf(correlation uint32, body string) []byte {
	b := binary.BigEndian.AppendUint16(nil, 22)
	b = binary.BigEndian.AppendUint16(b, 3)
	b = binary.BigEndian.AppendUint32(b, correlation)
	b = binary.BigEndian.AppendUint16(b, 2)
	b = append(b, "me"...)
	b = append(b, 0, 0, 0) // so that the body starts at 19
	b = append(b, body...)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

func response(request []byte) []byte {
	b := append([]byte{}, request[8:12]...)
	b = append(b, request[19:]...)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

func dial(t *testing.T, l *Link) net.Conn {
	t.Helper()
	c, err := l.DialContext(t.Context(), "tcp", "broker")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func send(t *testing.T, c net.Conn, correlation uint32, body string) {
	t.Helper()
	if _, err := c.Write(frameOf(correlation, body)); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c net.Conn) string {
	t.Helper()
	frame, err := read(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(frame[8:])
}

func TestMessagesPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &echo{reached: make(chan string, 10)}
		seen := make(chan Message, 10)
		l := NewLink(server.dial, func(m Message) { seen <- m })
		c := dial(t, l)
		send(t, c, 7, "hello")
		if got := receive(t, c); got != "hello" {
			t.Errorf("got %q", got)
		}
		for _, response := range []bool{false, true} {
			if got, want := <-seen, (Message{Key: 22, Version: 3, Client: "me", Response: response}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		c.Close()
		synctest.Wait()
		if n := l.Connections(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// A cut in the hook stops that very message, in both directions.
func TestCutStopsTheMessage(t *testing.T) {
	f := func(response bool, reached int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			server := &echo{reached: make(chan string, 10)}
			var l *Link
			l = NewLink(server.dial, func(m Message) {
				if m.Response == response {
					l.Cut()
				}
			})
			c := dial(t, l)
			send(t, c, 1, "x")
			if _, err := read(c); !errors.Is(err, io.EOF) {
				t.Errorf("read: %v, want %v", err, io.EOF)
			}
			synctest.Wait()
			if got := len(server.reached); got != reached {
				t.Errorf("%d requests reached the broker, want %d", got, reached)
			}
			if _, err := l.DialContext(t.Context(), "tcp", "broker"); !errors.Is(err, ErrCut) {
				t.Errorf("dial: %v, want %v", err, ErrCut)
			}
			if got := l.Connections(); got != 1 {
				t.Errorf("the broker has %d connections, want 1", got)
			}
			l.Drop()
			if got := l.Connections(); got != 0 {
				t.Errorf("%d connections are left", got)
			}
		})
	}
	f(false, 0)
	f(true, 1)
}

// What is held up arrives after the release, even when the client has gone.
func TestHoldDeliversLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &echo{reached: make(chan string, 10)}
		l := NewLink(server.dial, nil)
		c := dial(t, l)
		l.Hold()
		send(t, c, 1, "a")
		send(t, c, 2, "b")
		c.Close()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(server.reached); n != 0 {
			t.Fatalf("%d requests passed", n)
		}
		l.Release()
		synctest.Wait()
		if got := <-server.reached + <-server.reached; got != "ab" {
			t.Errorf("%q arrived, want ab", got)
		}
	})
}

func TestDropAllowsNewConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &echo{reached: make(chan string, 10)}
		l := NewLink(server.dial, nil)
		first := dial(t, l)
		l.Drop()
		if _, err := read(first); !errors.Is(err, io.EOF) {
			t.Errorf("read: %v, want %v", err, io.EOF)
		}
		second := dial(t, l)
		send(t, second, 1, "x")
		if got := receive(t, second); got != "x" {
			t.Errorf("got %q", got)
		}
		second.Close()
	})
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &echo{reached: make(chan string, 10)}
		l := NewLink(server.dial, nil)
		l.Delay(time.Second)
		c := dial(t, l)
		began := time.Now()
		send(t, c, 1, "x")
		receive(t, c)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("there and back took %s, want 2s", took)
		}
		c.Close()
	})
}

// A connection that lingers is closed for the broker later than for the client.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &echo{reached: make(chan string, 10)}
		l := NewLink(server.dial, nil)
		l.Linger(time.Minute)
		c := dial(t, l)
		c.Close()
		time.Sleep(time.Minute - time.Nanosecond)
		if n := l.Connections(); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := l.Connections(); n != 0 {
			t.Errorf("%d connections, want none", n)
		}
	})
}
