package apachekafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// errExited is wrapped when the child ended before it was ready.
var errExited = errors.New("the broker process ended")

// awaitReady returns when the broker at addr has answered a metadata request in which it names itself,
// which it does only once the controller lets it serve.
func awaitReady(ctx context.Context, addr string, p *process) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DialTimeout(2*time.Second))
	if err != nil {
		return fmt.Errorf("cannot create client for %q: %w", addr, err)
	}
	defer client.Close()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		last := askMetadata(ctx, client)
		if last == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%w: %v", errExited, p.err)
		case <-ctx.Done():
			return fmt.Errorf("%w; last answer: %v", context.Cause(ctx), last)
		case <-ticker.C:
		}
	}
}

func askMetadata(ctx context.Context, client *kgo.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{}
	// Asking the seed itself, not the cluster, leaves the retrying to the loop above.
	resp, err := client.SeedBrokers()[0].Request(ctx, req)
	if err != nil {
		return err
	}
	if n := len(resp.(*kmsg.MetadataResponse).Brokers); n == 0 {
		return errors.New("the broker is not registered yet")
	}
	return nil
}
