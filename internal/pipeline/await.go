package pipeline

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// awaitBrokers is how long a process that starts waits for brokers that do not
// answer. One that ended at once would have to be started again by somebody for
// every broker that is.
const awaitBrokers = 2 * time.Minute

// awaitTopics is ensureTopics, tried again while the brokers cannot be reached.
func (p *pipeline) awaitTopics(ctx context.Context) error {
	began := time.Now()
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := p.ensureTopics(ctx)
		if err == nil || ctx.Err() != nil || !passes(err) || time.Since(began) > awaitBrokers {
			return err
		}
		p.Log.Warn("cannot look at the topics; trying again", "error", err, "pause", pause)
		sleep(ctx, pause)
	}
}

// passes reports whether an error of a request may go away by itself: a broker that
// is away or busy, a connection that broke. One that refuses us does not.
func passes(err error) bool {
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
