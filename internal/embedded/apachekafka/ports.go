package apachekafka

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
)

// Ports are taken below the ranges from which Linux (32768 on) and macOS (49152 on) pick the local end of
// outgoing connections: a port out of those may be in use again before the broker has bound it.
const (
	firstPort = 20000
	lastPort  = 31999
)

// lease is a port that no other process using this package will pick. It ends with the process or by release.
type lease struct {
	port int
	file *os.File
}

func (l *lease) release() {
	if l.file != nil {
		l.file.Close()
	}
}

// leasePort finds a loopback port that is free now and locks it for this process.
func leasePort() (*lease, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("flyball-kafka-ports-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot create folder of port locks: %w", err)
	}
	span := lastPort - firstPort + 1
	start := rand.IntN(span)
	for i := range span {
		port := firstPort + (start+i)%span
		l, err := tryPort(dir, port)
		if err != nil {
			return nil, err
		}
		if l != nil {
			return l, nil
		}
	}
	return nil, fmt.Errorf("cannot find free port: all of %d to %d are in use", firstPort, lastPort)
}

// tryPort returns nil when the port is in use.
func tryPort(dir string, port int) (*lease, error) {
	f, err := os.OpenFile(filepath.Join(dir, fmt.Sprint(port)), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot open port lock: %w", err)
	}
	ok, err := tryLock(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot lock port %d: %w", port, err)
	}
	if !ok || !bindable(port) {
		f.Close()
		return nil, nil
	}
	return &lease{port: port, file: f}, nil
}

func bindable(port int) bool {
	l, err := net.Listen("tcp4", fmt.Sprintf("%s:%d", loopback, port))
	if err != nil {
		return false
	}
	l.Close()
	return true
}
