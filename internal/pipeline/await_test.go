package pipeline

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config"
)

// A process that starts while connections break waits until they do not.
func TestStartWaitsForBrokers(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	const broken = 4
	var dialed atomic.Int32
	dial := func(ctx context.Context, network, host string) (net.Conn, error) {
		if dialed.Add(1) <= broken {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		var d net.Dialer
		return d.DialContext(ctx, network, host)
	}
	cfg := &config.Config{Pipeline: config.DefaultPipeline()}
	cfg.Pipeline.Kafka.Brokers = cluster.ListenAddrs()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := newPipeline(Options{
		Config: cfg, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Metrics: NewMetrics(prometheus.NewRegistry()),
		Kafka: []kgo.Opt{kgo.Dialer(dial), kgo.RequestRetries(0)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.awaitTopics(ctx); err != nil {
		t.Errorf("after %d connections: %v", dialed.Load(), err)
	}
	if n := dialed.Load(); n <= broken {
		t.Errorf("%d connections", n)
	}
}
