package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Topic is what Inspect found of one topic.
type Topic struct {
	// Name of the topic, and whether it exists.
	Name   string `json:"name"`
	Exists bool   `json:"exists"`
	// Partitions and Replicas (of its first partition) that it has.
	Partitions int `json:"partitions"`
	Replicas   int `json:"replicas"`
	// Problem says why it cannot be used, empty when it can.
	Problem string `json:"problem,omitempty"`
	// Warnings say what may lose data when brokers or readers are away.
	Warnings []string `json:"warnings,omitempty"`
}

// OK reports whether the topic is there and can be used.
func (t *Topic) OK() bool { return t.Exists && t.Problem == "" }

// Inspect compares topics with what they must be, in the order of specs. It changes
// nothing.
func Inspect(ctx context.Context, client *kadm.Client, specs []Spec) ([]Topic, error) {
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	details, err := client.ListTopics(kadm.WithAuthorizedOps(ctx), names...)
	if err != nil {
		return nil, fmt.Errorf("cannot list topics: %w", err)
	}
	var there []string
	out := make([]Topic, len(specs))
	for i, s := range specs {
		d, ok := details[s.Name]
		t := &out[i]
		t.Name = s.Name
		switch {
		case !ok || errors.Is(d.Err, kerr.UnknownTopicOrPartition):
			continue
		case d.Err != nil:
			t.Problem = fmt.Sprintf("cannot describe topic %q: %v", s.Name, d.Err)
			continue
		}
		t.Exists, t.Partitions, t.Replicas = true, len(d.Partitions), d.Partitions.NumReplicas()
		there = append(there, s.Name)
	}
	configs, err := topicConfigs(ctx, client, there)
	if err != nil {
		return nil, err
	}
	for i, s := range specs {
		if t := &out[i]; t.Exists {
			if err := errors.Join(s.checkPartitions(t.Partitions), s.checkPolicy(configs[s.Name]["cleanup.policy"])); err != nil {
				t.Problem = err.Error()
			}
			t.Warnings = s.warnings(t.Replicas, configs[s.Name])
		}
	}
	return out, nil
}

// warnings says what may lose data although the topic can be used.
func (s Spec) warnings(replicas int, have map[string]string) []string {
	var out []string
	if replicas < 2 {
		out = append(out, "it has one replica: what is on it is lost with its broker; want 3")
	} else if least, err := strconv.Atoi(have["min.insync.replicas"]); err == nil && least < 2 {
		out = append(out, fmt.Sprintf("min.insync.replicas is %d: what was acknowledged may be lost with one broker; want 2", least))
	}
	if want, err := strconv.ParseInt(s.Configs["retention.ms"], 10, 64); err == nil {
		if got, err := strconv.ParseInt(have["retention.ms"], 10, 64); err == nil && got >= 0 && got < want {
			out = append(out, fmt.Sprintf("retention.ms is %d: a reader that is away for longer loses what came meanwhile; want %d", got, want))
		}
	}
	return out
}

// topicConfigs returns the settings of topics by their names.
func topicConfigs(ctx context.Context, client *kadm.Client, names []string) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	if len(names) == 0 {
		return out, nil
	}
	configs, err := client.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("cannot describe topics: %w", err)
	}
	for _, c := range configs {
		if c.Err != nil {
			return nil, fmt.Errorf("cannot describe topic %q: %w", c.Name, c.Err)
		}
		out[c.Name] = map[string]string{"cleanup.policy": "delete"} // where the broker does not say
		for _, entry := range c.Configs {
			if entry.Value != nil {
				out[c.Name][entry.Key] = *entry.Value
			}
		}
	}
	return out, nil
}
