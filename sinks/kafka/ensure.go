package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// How long Ensure waits for topics to appear that were just made, and how often
// it looks.
const (
	settleFor   = 10 * time.Second
	settleEvery = 50 * time.Millisecond
)

// Ensure makes the topics that are missing and checks the others. The error names
// every topic that is not as it must be; if there is one, nothing is made. No
// topic that exists is changed. Several processes may do this at once. When it
// returns nil, all topics can be used.
func Ensure(ctx context.Context, client *kadm.Client, specs []Spec) error {
	missing, err := check(ctx, client, specs)
	if err != nil {
		return err
	}
	var failed []error
	for _, s := range missing {
		configs := map[string]*string{}
		for k, v := range s.Configs {
			configs[k] = &v
		}
		_, err := client.CreateTopic(ctx, s.Partitions, s.Replication, configs, s.Name)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) { // another process was faster
			failed = append(failed, fmt.Errorf("cannot create topic %q: %w", s.Name, err))
		}
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	return settle(ctx, client, missing)
}

// settle waits until topics that were just made are known to the broker that
// answers, which is later than when they were made, and checks them: it may be
// that another process made them, and otherwise.
func settle(ctx context.Context, client *kadm.Client, specs []Spec) error {
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	for len(specs) > 0 {
		missing, err := check(ctx, client, specs)
		if err != nil || len(missing) == 0 {
			return err
		}
		specs = missing
		select {
		case <-ctx.Done():
			return fmt.Errorf("cannot use topic %q: it was made and does not appear: %w", specs[0].Name, ctx.Err())
		case <-time.After(settleEvery):
		}
	}
	return nil
}

// check returns the specs of topics that do not exist, and an error that names
// those that exist and are wrong.
func check(ctx context.Context, client *kadm.Client, specs []Spec) ([]Spec, error) {
	if len(specs) == 0 {
		return nil, nil
	}
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	// Asking for authorized operations makes kadm ask the broker: otherwise it
	// may answer from a cache that is some seconds old.
	details, err := client.ListTopics(kadm.WithAuthorizedOps(ctx), names...)
	if err != nil {
		return nil, fmt.Errorf("cannot list topics: %w", err)
	}
	var missing, there []Spec
	var wrong []error
	for _, s := range specs {
		d, ok := details[s.Name]
		switch {
		case !ok || errors.Is(d.Err, kerr.UnknownTopicOrPartition):
			missing = append(missing, s)
		case d.Err != nil:
			wrong = append(wrong, fmt.Errorf("cannot describe topic %q: %w", s.Name, d.Err))
		default:
			there = append(there, s)
			wrong = append(wrong, s.checkPartitions(len(d.Partitions)))
		}
	}
	names = names[:0]
	for _, s := range there {
		names = append(names, s.Name)
	}
	configs, err := topicConfigs(ctx, client, names)
	if err != nil {
		return nil, err
	}
	for _, s := range there {
		wrong = append(wrong, s.checkPolicy(configs[s.Name]["cleanup.policy"]))
	}
	return missing, errors.Join(wrong...)
}

// checkPartitions says what is wrong with the number of partitions.
func (s Spec) checkPartitions(n int) error {
	if !s.Exact || int32(n) == s.Partitions {
		return nil
	}
	hint := "its partitions belong to those of the panes topic: configure that many, or another topic prefix"
	if s.Partitions == 1 {
		hint = "it must be one log: recreate it, or use another topic prefix"
	}
	return fmt.Errorf("cannot use topic %q: it has %d partitions, want %d; %s", s.Name, n, s.Partitions, hint)
}

// checkPolicy says what is wrong with cleanup.policy, a list such as
// "compact,delete".
func (s Spec) checkPolicy(policy string) error {
	words := strings.FieldsFunc(policy, func(r rune) bool { return r == ',' || r == ' ' })
	compact, expires := slices.Contains(words, "compact"), slices.Contains(words, "delete")
	switch {
	case s.Compact && (!compact || expires):
		return fmt.Errorf("cannot use topic %q: its cleanup.policy is %q, want \"compact\", or what is remembered is lost; "+
			"set it with kafka-configs --alter", s.Name, policy)
	case !s.Compact && compact:
		return fmt.Errorf("cannot use topic %q: its cleanup.policy is %q, want \"delete\", or events that share a key are lost; "+
			"set it with kafka-configs --alter", s.Name, policy)
	}
	return nil
}
