package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/flyball-io/flyball/internal/embedded/kafka"
)

// serveBroker runs a broker that keeps its data on disk until in ends. It prints
// its addresses.
func serveBroker(ctx context.Context, _ Task, in io.Reader, out io.Writer) error {
	cfg := kafka.Default()
	cfg.Temporary = true
	s, err := kafka.Start(ctx, cfg)
	if err != nil {
		return err
	}
	err = json.NewEncoder(out).Encode(s.Addrs())
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	return errors.Join(err, s.Close())
}
