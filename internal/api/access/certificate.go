package access

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/flyball-io/flyball/internal/config/spec"
)

// checkEvery is how often the files of a certificate are looked at, at most.
const checkEvery = 10 * time.Second

// certificate is one that is read again when its files change.
type certificate struct {
	files spec.ServerTLS
	log   *slog.Logger
	now   func() time.Time

	mu      sync.Mutex
	pair    *tls.Certificate
	stamps  [2]stamp
	checked time.Time
}

// stamp tells whether a file has changed.
type stamp struct {
	modified time.Time
	size     int64
}

// TLS returns how a listener encrypts. The certificate is read again when its files
// have changed; while they cannot be used, the one before is.
func TLS(files spec.ServerTLS, log *slog.Logger) (*tls.Config, error) {
	c := &certificate{files: files, log: log, now: time.Now}
	if err := c.load(); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil }}, nil
}

func (c *certificate) load() error {
	stamps := c.stat()
	pair, err := tls.LoadX509KeyPair(c.files.CertFile, c.files.KeyFile)
	if err != nil {
		return fmt.Errorf("cannot use http.tls.certFile and keyFile: %w", err)
	}
	c.pair, c.stamps = &pair, stamps
	return nil
}

func (c *certificate) stat() (out [2]stamp) {
	for i, name := range []string{c.files.CertFile, c.files.KeyFile} {
		if info, err := os.Stat(name); err == nil {
			out[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return out
}

func (c *certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.checked) >= checkEvery {
		c.checked = now
		if c.stat() != c.stamps {
			if err := c.load(); err != nil {
				c.log.Error("the certificate has changed and cannot be used; the one before is", "error", err)
			} else {
				c.log.Info("the certificate was read again", "file", c.files.CertFile)
			}
		}
	}
	return c.pair
}
