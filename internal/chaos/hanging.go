package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// errHanging is of a run that cannot end, because the broker keeps a transaction of
// offsets open that nobody has: Kafka has lost its end, as a broker without others does
// now and then when it is stopped (docs/operations.md).
var errHanging = errors.New("the broker keeps a transaction open that has ended")

// hangsAfter is how long a transaction has been open that hangs: several times as long
// as brokers allow.
const hangsAfter = 30 * time.Second

// hanging returns an error when offsets are in a transaction that hangs.
func hanging(ctx context.Context, admin *kadm.Client) error {
	const offsets = "__consumer_offsets"
	details, err := admin.ListTopicsWithInternal(ctx, offsets)
	if err != nil {
		return err
	}
	described, err := admin.DescribeProducers(ctx, details.TopicsSet())
	if err != nil {
		return err
	}
	described.EachProducer(func(p kadm.DescribedProducer) {
		if since := time.Since(time.UnixMilli(p.LastTimestamp)); p.CurrentTxnStartOffset >= 0 && since > hangsAfter {
			err = fmt.Errorf("%w: producer %d, epoch %d, in %s/%d for %s", errHanging, p.ProducerID, p.ProducerEpoch, p.Topic, p.Partition, since.Round(time.Second))
		}
	})
	return err
}
