package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// Pipeline says how Flyball itself runs: where its servers are and what it may
// use. It is what is left to defaults when no document of this kind is given.
type Pipeline struct {
	// Name of the installation, in logs and in the source of CloudEvents.
	Name string
	// Pipeline holds the settings, with their doc comments.
	spec.Pipeline
}

// DefaultPipeline returns the settings in force where nothing else is said.
func DefaultPipeline() Pipeline {
	p := Pipeline{Name: "flyball"}
	strictyaml.SetDefaults(&p.Pipeline)
	return p
}

var topicForm = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// compilePipeline checks the Pipeline document, if there is one.
func (l *loading) compilePipeline() Pipeline {
	if len(l.pipelines) == 0 {
		return DefaultPipeline()
	}
	for _, extra := range l.pipelines[1:] {
		extra.Report("kind", kind.CodeDuplicateName, "there can be one Pipeline only",
			"the first is in "+l.pipelines[0].Doc.Position("kind"))
	}
	o := l.pipelines[0]
	s := &o.Spec
	checkKafka(o)
	checkHTTP(o)
	if path := "spec.clickhouse.dsn"; s.ClickHouse.DSN != "" && o.Doc.OK(path) && !isDSN(string(s.ClickHouse.DSN)) {
		// The DSN is a secret: it must not be in the message.
		message := "want a URL with the scheme clickhouse, tcp, http or https and a host"
		if string(s.ClickHouse.DSN) == s.ClickHouse.DSN.String() {
			message = "the secret was blanked out when this configuration was printed"
		}
		o.Report(path, strictyaml.CodeInvalidValue, message, "such as clickhouse://user:password@host:9000/flyball")
	}
	if (s.Signing.KeyFile == "") != (s.Signing.KeyID == "") && o.Doc.OK("spec.signing") {
		o.Report("spec.signing", strictyaml.CodeMissingField, "keyFile and keyID belong together: one is missing", "")
	}
	if c := s.CommitInterval.Std(); c < 250*time.Millisecond || c > time.Second {
		o.Warn("spec.commitInterval", kind.CodeUnusual, fmt.Sprintf("%v is outside the sensible range 250ms to 1s", s.CommitInterval), "")
	}
	return Pipeline{Name: o.Metadata.Name, Pipeline: *s}
}

func checkKafka(o *kind.Object[spec.Pipeline]) {
	s := &o.Spec
	o.NotEmpty("spec.kafka.brokers", len(s.Kafka.Brokers), "delete the line to get the default 127.0.0.1:9092")
	for i, b := range s.Kafka.Brokers {
		if path := fmt.Sprintf("spec.kafka.brokers[%d]", i); o.Doc.OK(path) && !isAddress(b, false) {
			o.Report(path, strictyaml.CodeInvalidValue, fmt.Sprintf("want host:port, got %q", b), "")
		}
	}
	if path := "spec.kafka.topicPrefix"; s.Kafka.TopicPrefix != "" && o.Doc.OK(path) && !topicForm.MatchString(s.Kafka.TopicPrefix) {
		o.Report(path, strictyaml.CodeInvalidValue, "a topic prefix has letters, digits, '.', '_' and '-' only", "")
	}
	if path := "spec.kafka.group"; s.Kafka.Group == "" && o.Doc.OK(path) {
		o.Report(path, strictyaml.CodeInvalidValue, "a group needs a name", "delete the line to get the default flyball")
	}
	checkSecurity(o)
}

// checkSecurity checks that what belongs together is there together. Files are
// opened when the connections are.
func checkSecurity(o *kind.Object[spec.Pipeline]) {
	k := &o.Spec.Kafka
	for path, t := range map[string]*spec.TLS{"spec.kafka.tls": k.TLS, "spec.clickhouse.tls": o.Spec.ClickHouse.TLS} {
		if t != nil && (t.CertFile == "") != (t.KeyFile == "") && o.Doc.OK(path) {
			o.Report(path, strictyaml.CodeMissingField, "certFile and keyFile belong together: one is missing", "")
		}
	}
	if c := o.Spec.ClickHouse; c.TLS != nil && o.Doc.OK("spec.clickhouse.tls") && !isSecureDSN(string(c.DSN)) {
		o.Report("spec.clickhouse.tls", strictyaml.CodeInvalidValue, "the DSN does not ask for an encrypted connection", "write https://, or add ?secure=true")
	}
	a := k.SASL
	if a == nil || !o.Doc.OK("spec.kafka.sasl") || a.Mechanism == "" {
		return
	}
	if a.Mechanism == "OAUTHBEARER" {
		if a.TokenFile == "" {
			o.Report("spec.kafka.sasl", strictyaml.CodeMissingField, "OAUTHBEARER needs tokenFile", "")
		}
		return
	}
	if a.Username == "" || a.Password == "" {
		o.Report("spec.kafka.sasl", strictyaml.CodeMissingField, a.Mechanism+" needs username and password", "such as password: ${env:KAFKA_PASSWORD}")
	}
	if k.TLS == nil && a.Mechanism == "PLAIN" {
		o.Warn("spec.kafka.sasl.mechanism", kind.CodeUnusual, "PLAIN without tls sends the password in the clear", "add tls: {}")
	}
}

func isAddress(s string, emptyHost bool) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" && !emptyHost {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

func isDSN(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && slices.Contains([]string{"clickhouse", "tcp", "http", "https"}, u.Scheme)
}

// isSecureDSN reports whether a DSN asks for an encrypted connection. One that
// cannot be read has been reported already.
func isSecureDSN(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "https" {
		return true
	}
	secure, err := strconv.ParseBool(u.Query().Get("secure"))
	return err == nil && secure
}
