package connect

import (
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"net"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Passes reports whether an error of a request may go away by itself: a broker that
// is away or busy, a connection that broke. One that refuses us does not.
func Passes(err error) bool {
	var refused *tls.CertificateVerificationError
	if errors.As(err, &refused) {
		return false
	}
	var file *fs.PathError // its cause looks like an error of the network
	if errors.As(err, &file) {
		return false
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" { // an alert of TLS
		return false
	}
	var closed *kgo.ErrFirstReadEOF
	var network net.Error
	return errors.As(err, &network) || errors.As(err, &closed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || kerr.IsRetriable(err)
}
