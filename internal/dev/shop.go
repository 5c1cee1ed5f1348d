package dev

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

// load is the shop's traffic.
const (
	spansPerSecond = 2000
	partitions     = 4
)

// incidents come around for as long as it runs, so that there is always
// something to see; the first is there within the first minute.
const (
	firstIncident = 20 * time.Second
	incidentEvery = 3 * time.Minute
)

// Two new versions get a share of the requests: one that is as good as the one before,
// and one that is not.
const (
	goodCanary  = "search"
	badCanary   = "cart"
	badVersion  = "4.3.0"
	canaryShare = 0.3
)

// shopWorld is the simulated shop. Commands end its incidents.
type shopWorld struct{ runner *loadgen.Runner }

func newShop() (*shopWorld, error) {
	c := loadgen.Default()
	c.Shop.Rate = spansPerSecond
	c.Shop.Incidents = schedule()
	c.Shop.Canaries = []shop.Canary{
		{Service: goodCanary, Version: "5.1.0", Share: canaryShare, From: 30 * time.Second},
		{Service: badCanary, Version: badVersion, Share: canaryShare, From: 40 * time.Second},
	}
	c.Partitions = partitions
	runner, err := loadgen.NewRunner(c)
	if err != nil {
		return nil, err
	}
	return &shopWorld{runner}, nil
}

// run sends the shop's spans until the context ends.
func (w *shopWorld) run(ctx context.Context, brokers []string) error {
	c := loadgen.Default()
	c.Kafka.Brokers = brokers
	sink, err := loadgen.NewKafkaSink(ctx, c.Kafka, c.Topic, partitions)
	if err != nil {
		return err
	}
	_, err = w.runner.Run(ctx, sink, nil)
	return errors.Join(err, sink.Close())
}

// remedy rolls a service back: its canary gets no requests any more, and what is wrong
// with the service at this moment ends.
func (w *shopWorld) remedy(cmd *flyball.Command) (string, error) {
	service := path.Base(cmd.Target)
	ended, err := w.runner.Heal(service)
	if err != nil {
		return "", err
	}
	if to := cmd.Action.Params["to"]; to != "" {
		if err := w.runner.SetCanary(service, 0); err != nil {
			return "", err
		}
		return fmt.Sprintf("all requests of %s go to version %s", service, to), nil
	}
	return fmt.Sprintf("%s is rolled back; incidents that ended by that: %d", service, ended), nil
}

func (*shopWorld) now() time.Time { return time.Now() }

// schedule lists a day of incidents.
func schedule() []shop.Incident {
	kinds := []shop.Incident{
		{Kind: shop.ErrorBurst, Service: "checkout", Severity: 0.5, Duration: 2 * time.Minute},
		{Kind: shop.SlowDependency, Service: "payment", Severity: 20, Duration: 30 * time.Second},
		{Kind: shop.ErrorBurst, Service: "catalog", Severity: 0.3, Duration: 2 * time.Minute},
	}
	list := []shop.Incident{{Kind: shop.ErrorBurst, Service: badCanary, Version: badVersion, Severity: 0.15, Duration: 24 * time.Hour}}
	for at, i := firstIncident, 0; at < 24*time.Hour; at, i = at+incidentEvery, i+1 {
		in := kinds[i%len(kinds)]
		in.Start = at
		list = append(list, in)
	}
	return list
}
