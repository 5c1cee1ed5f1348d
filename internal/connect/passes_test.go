package connect

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestPasses(t *testing.T) {
	f := func(err error, want bool) {
		t.Helper()
		if got := Passes(fmt.Errorf("cannot list topics: %w", err)); got != want {
			t.Errorf("%v passes: %v, want %v", err, got, want)
		}
	}
	f(io.EOF, true)
	f(&kgo.ErrFirstReadEOF{}, true)
	f(&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true)
	f(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true)
	f(kerr.NotController, true)
	f(&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, false)
	f(&tls.CertificateVerificationError{Err: errors.New("unknown authority")}, false)
	_, missing := os.ReadFile(filepath.Join(t.TempDir(), "token"))
	f(missing, false)
	f(kerr.SaslAuthenticationFailed, false)
	f(kerr.TopicAuthorizationFailed, false)
	f(errors.New("topic flyball.state has cleanup.policy delete"), false)
}
