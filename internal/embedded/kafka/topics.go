package kafka

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// createTopics creates those topics that do not exist. kfake's own seeding
// knows no settings and does nothing on a directory that was used before.
func createTopics(ctx context.Context, addrs []string, topics []Topic) error {
	if len(topics) == 0 {
		return nil
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(addrs...))
	if err != nil {
		return fmt.Errorf("cannot create topics: %w", err)
	}
	defer client.Close()
	request := kmsg.NewPtrCreateTopicsRequest()
	for _, t := range topics {
		request.Topics = append(request.Topics, t.request())
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("cannot create topics: %w", err)
	}
	for _, t := range response.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			reason := ""
			if t.ErrorMessage != nil {
				reason = ": " + *t.ErrorMessage
			}
			return fmt.Errorf("cannot create topic %q%s: %w", t.Topic, reason, err)
		}
	}
	return nil
}

func (t Topic) request() kmsg.CreateTopicsRequestTopic {
	r := kmsg.NewCreateTopicsRequestTopic()
	r.Topic, r.NumPartitions, r.ReplicationFactor = t.Name, int32(t.Partitions), 1
	for name, value := range t.Settings {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = name, kmsg.StringPtr(value)
		r.Configs = append(r.Configs, c)
	}
	sort.Slice(r.Configs, func(i, j int) bool { return r.Configs[i].Name < r.Configs[j].Name })
	return r
}
