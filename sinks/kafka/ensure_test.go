package kafka

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func broker(t *testing.T) (*kfake.Cluster, *kadm.Client) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return cluster, kadm.NewClient(client)
}

// topicLines describes topics as lines: name, partitions, settings that matter.
func topicLines(t *testing.T, client *kadm.Client) string {
	t.Helper()
	details, err := client.ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	configs, err := client.DescribeTopicConfigs(t.Context(), details.Names()...)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, name := range details.Names() {
		c, err := configs.On(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(name + " " + strings.Repeat("|", len(details[name].Partitions)))
		for _, key := range []string{"cleanup.policy", "retention.ms", "max.message.bytes"} {
			for _, entry := range c.Configs {
				if entry.Key == key && entry.Source == kmsg.ConfigSourceDynamicTopicConfig {
					b.WriteString(" " + key + "=" + *entry.Value)
				}
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestEnsureMakesTopics(t *testing.T) {
	_, client := broker(t)
	specs := Topics{Prefix: "x."}.Specs(4)
	if err := Ensure(t.Context(), client, specs); err != nil {
		t.Fatal(err)
	}
	want := `x.bands |||| cleanup.policy=delete retention.ms=604800000 max.message.bytes=8388608
x.canaries |||| cleanup.policy=delete retention.ms=2592000000
x.commands |||||||| cleanup.policy=delete retention.ms=604800000
x.control | cleanup.policy=delete retention.ms=2592000000
x.deadletter |||||||| cleanup.policy=delete retention.ms=2592000000 max.message.bytes=8388608
x.decisions |||||||| cleanup.policy=delete retention.ms=2592000000
x.findings | cleanup.policy=delete retention.ms=2592000000
x.labels | cleanup.policy=delete retention.ms=2592000000
x.outcomes | cleanup.policy=delete retention.ms=2592000000
x.panes |||| cleanup.policy=delete retention.ms=259200000 max.message.bytes=8388608
x.slo |||| cleanup.policy=delete retention.ms=604800000 max.message.bytes=8388608
x.state |||| cleanup.policy=compact max.message.bytes=8388608
x.verdicts |||||||| cleanup.policy=delete retention.ms=2592000000
x.windows |||| cleanup.policy=delete retention.ms=604800000 max.message.bytes=8388608
`
	if d := cmp.Diff(want, topicLines(t, client)); d != "" {
		t.Errorf("topics (-want +got):\n%s", d)
	}
	if err := Ensure(t.Context(), client, specs); err != nil {
		t.Errorf("a second time: %v", err)
	}
	if d := cmp.Diff(want, topicLines(t, client)); d != "" {
		t.Errorf("a second time changes topics (-want +got):\n%s", d)
	}
}

func TestEnsureChecksTopics(t *testing.T) {
	f := func(want, topic string, partitions int32, configs ...string) {
		t.Helper()
		_, client := broker(t)
		set := map[string]*string{}
		for i := 0; i < len(configs); i += 2 {
			set[configs[i]] = &configs[i+1]
		}
		if _, err := client.CreateTopic(t.Context(), partitions, 1, set, topic); err != nil {
			t.Fatal(err)
		}
		err := Ensure(t.Context(), client, Topics{Prefix: "x."}.Specs(4))
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", topic, err)
			}
			return
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if d, err := client.ListTopics(t.Context()); err != nil || len(d) != 1 {
			t.Errorf("topics were made beside a wrong one: %v, %v", d.Names(), err)
		}
	}
	f(`cannot use topic "x.panes": it has 6 partitions, want 4; its partitions belong to those of the panes topic`, "x.panes", 6)
	f(`cannot use topic "x.findings": it has 2 partitions, want 1; it must be one log`, "x.findings", 2)
	f(`cannot use topic "x.state": its cleanup.policy is "delete", want "compact"`, "x.state", 4)
	f(`cannot use topic "x.state": its cleanup.policy is "compact,delete", want "compact"`, "x.state", 4, "cleanup.policy", "compact,delete")
	f(`cannot use topic "x.commands": its cleanup.policy is "compact", want "delete"`, "x.commands", 4, "cleanup.policy", "compact")
	f("", "x.commands", 3, "retention.ms", "1000")
	f("", "x.state", 4, "cleanup.policy", "compact")
	f("", "x.panes", 4)
}

func TestEnsureNamesAllThatIsWrong(t *testing.T) {
	_, client := broker(t)
	for _, topic := range []string{"x.findings", "x.state"} {
		if _, err := client.CreateTopic(t.Context(), 3, 1, nil, topic); err != nil {
			t.Fatal(err)
		}
	}
	err := Ensure(t.Context(), client, Topics{Prefix: "x."}.Specs(4))
	for _, want := range []string{`"x.findings": it has 3`, `"x.state": it has 3`, `"x.state": its cleanup.policy`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %s", err, want)
		}
	}
}

// TestEnsureRace has another process make a topic between the look and the
// making.
func TestEnsureRace(t *testing.T) {
	f := func(partitions int32, want string) {
		t.Helper()
		cluster, client := broker(t)
		raced := false
		cluster.ControlKey(kmsg.CreateTopics.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			if !raced {
				raced = true
				if err := cluster.CreateTopic("x.findings", partitions, nil); err != nil {
					t.Error(err)
				}
			}
			return nil, nil, false
		})
		err := Ensure(t.Context(), client, Topics{Prefix: "x."}.Specs(4)[4:5])
		if !raced {
			t.Fatal("nothing was made")
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(1, "")
	f(2, `"x.findings": it has 2 partitions, want 1`)
}

// TestEnsureWaitsForTopics has the broker not know new topics at first.
func TestEnsureWaitsForTopics(t *testing.T) {
	cluster, client := broker(t)
	looks := 0
	cluster.ControlKey(kmsg.Metadata.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if topics := req.(*kmsg.MetadataRequest).Topics; len(topics) == 0 {
			return nil, nil, false
		}
		looks++
		if looks != 2 { // the one after the making
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		for _, topic := range req.(*kmsg.MetadataRequest).Topics {
			r := kmsg.NewMetadataResponseTopic()
			r.Topic, r.ErrorCode = topic.Topic, kerr.UnknownTopicOrPartition.Code
			resp.Topics = append(resp.Topics, r)
		}
		return resp, nil, true
	})
	if err := Ensure(t.Context(), client, Topics{Prefix: "x."}.Specs(4)); err != nil {
		t.Fatal(err)
	}
	if looks < 3 {
		t.Errorf("Ensure looked %d times and did not wait", looks)
	}
}

func TestEnsureReportsTheBroker(t *testing.T) {
	cluster, client := broker(t)
	cluster.ControlKey(kmsg.CreateTopics.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		for _, topic := range req.(*kmsg.CreateTopicsRequest).Topics {
			r := kmsg.NewCreateTopicsResponseTopic()
			r.Topic, r.ErrorCode = topic.Topic, kerr.TopicAuthorizationFailed.Code
			resp.Topics = append(resp.Topics, r)
		}
		return resp, nil, true
	})
	err := Ensure(t.Context(), client, Topics{Prefix: "x."}.Specs(4))
	if err == nil || !strings.Contains(err.Error(), `cannot create topic "x.panes": TOPIC_AUTHORIZATION_FAILED`) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Ensure(ctx, client, Topics{Prefix: "x."}.Specs(4)); err == nil || !strings.HasPrefix(err.Error(), "cannot list topics: ") {
		t.Errorf("got %v", err)
	}
}
