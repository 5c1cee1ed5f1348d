package starter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/ingest/decode"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/internal/starter/survey"
)

// passwordEnv is the environment variable that has the password of the brokers.
const passwordEnv = "KAFKA_PASSWORD"

// options are the flags.
type options struct {
	brokers, topics         []string
	dir, output, registry   string
	tls, force              bool
	caFile, mechanism, user string
	bounds                  Bounds
}

// Command returns `flyball init`. usage makes an error one of usage or configuration.
func Command(usage func(error) error) *cobra.Command {
	o := &options{}
	c := &cobra.Command{
		Use:   "init --brokers HOST:PORT --topic NAME",
		Short: "Write a configuration to begin with, from what is on a topic",
		Long: `Look at the last few hundred records of a topic, tell in which format they are, and
write a configuration to begin with: a Source, Indicators, an objective, a Detector, and
a Rule that only observes. Comments say why each is as it is. What was written is linted,
and the sample is decoded with it, so that you see what would be measured.

No consumer group is joined and nothing is committed. Files that are there are not
overwritten, unless you say --force. The password for SASL is taken from the environment,
` + passwordEnv + `, and not written.`,
		Example: `  flyball init --brokers kafka:9092 --topic otlp_spans
  flyball init --brokers kafka:9092 --topic otlp_spans --topic otlp_metrics --dir ./config
  flyball init --brokers kafka:9093 --tls --ca ca.pem --sasl SCRAM-SHA-512 --user flyball --topic access-log
  flyball init --brokers kafka:9092 --topic orders --registry https://registry:8081
  flyball init --brokers kafka:9092 --topic otlp_spans -o json | jq '.topics[].indicators[] | {indicator, series}'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.output != "text" && o.output != "json" {
				return usage(fmt.Errorf("unknown output format %q; want text or json", o.output))
			}
			if o.bounds.Records < 1 || o.bounds.Wait <= 0 {
				return usage(errors.New("--records and --wait must be more than 0"))
			}
			k, err := o.kafka()
			if err != nil {
				return usage(err)
			}
			return o.run(c, k, usage)
		},
	}
	f := c.Flags()
	f.StringSliceVar(&o.brokers, "brokers", nil, "addresses of brokers, host:port (required)")
	f.StringSliceVar(&o.topics, "topic", nil, "topic to measure; may be given several times (required)")
	f.StringVar(&o.dir, "dir", "./config", "directory to write to")
	f.BoolVar(&o.force, "force", false, "overwrite files that are there")
	f.BoolVar(&o.tls, "tls", false, "encrypt connections to the brokers")
	f.StringVar(&o.caFile, "ca", "", "certificates that may have signed those of the brokers, in PEM; default those of the system")
	f.StringVar(&o.mechanism, "sasl", "", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; the password is in "+passwordEnv)
	f.StringVar(&o.user, "user", "", "user for --sasl")
	f.StringVar(&o.registry, "registry", "", "address of the Schema Registry, for records that begin with the id of a schema")
	f.IntVar(&o.bounds.Records, "records", 500, "most records to look at, for each topic")
	f.DurationVar(&o.bounds.Wait, "wait", 10*time.Second, "longest time to wait for them")
	f.StringVarP(&o.output, "output", "o", "text", "output format: text or json")
	_ = c.MarkFlagRequired("brokers") // the flags exist
	_ = c.MarkFlagRequired("topic")
	o.bounds.Bytes = 32 << 20
	return c
}

// kafka returns the brokers and how to get in.
func (o *options) kafka() (spec.Kafka, error) {
	k := config.DefaultPipeline().Kafka
	k.Brokers = o.brokers
	if o.tls || o.caFile != "" {
		k.TLS = &spec.TLS{CAFile: o.caFile}
	}
	if o.mechanism != "" {
		password := os.Getenv(passwordEnv)
		if o.user == "" || password == "" {
			return k, fmt.Errorf("--sasl needs --user, and the password in the environment variable %s", passwordEnv)
		}
		k.SASL = &spec.SASL{Mechanism: o.mechanism, Username: o.user, Password: spec.Secret(password)}
	}
	return k, nil
}

// Written is what init has done.
type Written struct {
	Dir    string    `json:"dir"`
	Files  []string  `json:"files"`
	Topics []*Report `json:"topics"`
}

func (o *options) run(c *cobra.Command, k spec.Kafka, usage func(error) error) error {
	if err := o.free(); err != nil {
		return usage(err)
	}
	security, err := connect.Kafka(k)
	if err != nil {
		return usage(err)
	}
	opts := append(security, kgo.SeedBrokers(k.Brokers...), kgo.ClientID("flyball-init"))
	var plans []*plan
	samples := map[*plan][]*kgo.Record{}
	for _, topic := range o.topics {
		records, err := sample(c.Context(), opts, topic, o.bounds)
		if err != nil {
			return err
		}
		p, err := o.plan(c.Context(), topic, records)
		if err != nil {
			return err
		}
		plans, samples[p] = append(plans, p), records
	}
	files := write(k, plans)
	cfg, err := check(files)
	if err != nil {
		return err
	}
	out := Written{Dir: o.dir}
	for _, p := range plans {
		report, err := try(cfg, p, samples[p], time.Now())
		if err != nil {
			return err
		}
		out.Topics = append(out.Topics, report)
	}
	if out.Files, err = o.save(files); err != nil {
		return err
	}
	if o.output == "json" {
		return json.NewEncoder(c.OutOrStdout()).Encode(out)
	}
	return tell(c.OutOrStdout(), &out)
}

// plan proposes what to measure of the sample of a topic.
func (o *options) plan(ctx context.Context, topic string, records []*kgo.Record) (*plan, error) {
	s := survey.Of(records)
	if s.Format == "" {
		return nil, fmt.Errorf("cannot tell what is on topic %q: of %d records, %s; the formats are in docs/formats", topic, s.Records, others(s.Others))
	}
	p := &plan{topic: topic, source: nameOf(topic), survey: s}
	if len(o.topics) > 1 {
		p.prefix = p.source + "-"
	}
	if s.Format == "confluent" {
		if o.registry == "" {
			return nil, fmt.Errorf("records of topic %q begin with the id of a schema: say where the Schema Registry is, --registry https://…", topic)
		}
		p.registry = o.registry
		client, err := decode.RegistryClient(flyball.SchemaRegistry{URL: o.registry})
		if err != nil {
			return nil, err
		}
		plain, err := survey.Unframe(ctx, client, records)
		if err != nil {
			return nil, err
		}
		inner := survey.Of(plain)
		s.Groups, s.Times = inner.Groups, inner.Times
	}
	return p, p.propose()
}

func others(counts map[string]int) string {
	var out []string
	for name, n := range counts {
		if name == "" {
			name = "in no format that Flyball knows"
		}
		out = append(out, fmt.Sprintf("%d are %s", n, name))
	}
	return strings.Join(out, ", ")
}

// fileNames are those that write may give.
var fileNames = []string{"flyball.yaml", "measure.yaml", "objectives.yaml", "act.yaml"}

// free makes sure that nothing is overwritten.
func (o *options) free() error {
	if o.force {
		return nil
	}
	for _, name := range fileNames {
		if _, err := os.Stat(filepath.Join(o.dir, name)); err == nil {
			return fmt.Errorf("there is a configuration already: %s; choose another --dir, or overwrite it with --force", filepath.Join(o.dir, name))
		}
	}
	return nil
}

// check lints the files. What is wrong with them is our fault.
func check(files []file) (*config.Config, error) {
	var in []config.File
	for _, f := range files {
		in = append(in, config.File{Name: f.name, Text: []byte(f.text)})
	}
	cfg, problems := config.Options{}.Read(in)
	if len(problems) > 0 {
		strictyaml.Sort(problems)
		return nil, fmt.Errorf("BUG: what would be written is not right, and was not written: please report it\n%w", &config.Error{Problems: problems})
	}
	return cfg, nil
}

func (o *options) save(files []file) (names []string, err error) {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make directory %q: %w", o.dir, err)
	}
	for _, f := range files {
		path := filepath.Join(o.dir, f.name)
		if err := os.WriteFile(path, []byte(f.text), 0o644); err != nil {
			return nil, fmt.Errorf("cannot write configuration: %w", err)
		}
		names = append(names, path)
	}
	return names, nil
}
