package e2e

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/flyball-io/flyball/internal/embedded/apachekafka"
	"github.com/flyball-io/flyball/internal/testcert"
)

// password is that of the user flyball. Nothing that is written may show it.
const password = "p4ss word"

// access is one way to connect to a broker.
type access struct {
	name      string
	mutual    bool   // the broker asks for our certificate
	mechanism string // of SASL, or empty
}

// accesses lists the ways that brokers ask for.
var accesses = []access{
	{"tls", false, ""}, {"mtls", true, ""}, {"plain", false, "PLAIN"}, {"scram-256", false, "SCRAM-SHA-256"},
	{"scram-512", false, "SCRAM-SHA-512"}, {"scram-512-mtls", true, "SCRAM-SHA-512"}, {"oauthbearer", false, "OAUTHBEARER"},
}

// secured is a broker that lets nobody in without being asked.
type secured struct {
	*broker // over a listener of the tests' own
	own     testcert.Pair
	ca      *testcert.Authority
	// addr returns where to connect for a way of access, "" for one that the
	// broker does not know.
	addr func(access) string
}

// newSecured starts a broker for every way of access.
func newSecured(t *testing.T) *secured {
	t.Helper()
	a := testcert.New(t)
	s := &secured{ca: a, own: a.Issue(t, "flyball")}
	server := a.Issue(t, "broker")
	if onApache() {
		s.startApache(t, server)
	}
	return s
}

// startApache starts an Apache Kafka with four listeners.
func (s *secured) startApache(t *testing.T, server testcert.Pair) {
	t.Helper()
	text := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	encrypted := func(auth string) map[string]string {
		return map[string]string{
			"ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": text(server.CertFile), "ssl.keystore.key": text(server.KeyFile),
			"ssl.truststore.type": "PEM", "ssl.truststore.certificates": text(s.ca.CAFile), "ssl.client.auth": auth,
		}
	}
	authenticated := func(auth string) map[string]string {
		p := encrypted(auth)
		const module = "org.apache.kafka.common.security."
		p["sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER"
		p["plain.sasl.jaas.config"] = module + `plain.PlainLoginModule required user_flyball="` + password + `";`
		p["scram-sha-256.sasl.jaas.config"] = module + "scram.ScramLoginModule required;"
		p["scram-sha-512.sasl.jaas.config"] = module + "scram.ScramLoginModule required;"
		// Kafka's own handler takes tokens without a signature, for tests.
		p["oauthbearer.sasl.jaas.config"] = module + `oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`
		return p
	}
	b, err := apachekafka.Start(t.Context(), apachekafka.Config{Dir: t.TempDir(), ReadyTimeout: 5 * time.Minute, HeapMiB: 256, Listeners: []apachekafka.Listener{
		{Name: "TLS", Protocol: "SSL", Properties: encrypted("none")},
		{Name: "MTLS", Protocol: "SSL", Properties: encrypted("required")},
		{Name: "SASL", Protocol: "SASL_SSL", Properties: authenticated("none")},
		{Name: "MSASL", Protocol: "SASL_SSL", Properties: authenticated("required")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Kill)
	s.broker = connect(t, apache.Prefix(t), b.Addr())
	users := []kadm.UpsertSCRAM{
		{User: "flyball", Mechanism: kadm.ScramSha256, Iterations: 4096, Password: password},
		{User: "flyball", Mechanism: kadm.ScramSha512, Iterations: 4096, Password: password},
	}
	for _, u := range users { // one request may change a user once
		altered, err := s.admin.AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{u})
		if err != nil || !altered.Ok() {
			t.Fatalf("cannot add user: %v, %v", err, altered)
		}
	}
	s.addr = func(a access) string {
		name := "TLS"
		if a.mechanism != "" {
			name = "SASL"
		}
		if a.mutual {
			name = "M" + name
		}
		return b.ListenerAddr(name)
	}
}

// startFake starts a kfake that has one way of access.
func (s *secured) startFake(t *testing.T, a access) {
	t.Helper()
	server := &tls.Config{Certificates: []tls.Certificate{s.ca.Issue(t, "broker-"+a.name).Certificate}}
	client := &tls.Config{RootCAs: s.ca.Pool(), Certificates: []tls.Certificate{s.own.Certificate}}
	if a.mutual {
		server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert, s.ca.Pool()
	}
	opts := []kfake.Opt{kfake.NumBrokers(1), kfake.TLS(server)}
	ours := []kgo.Opt{kgo.DialTLSConfig(client)}
	if a.mechanism != "" {
		opts = append(opts, kfake.EnableSASL(), kfake.Superuser(a.mechanism, "flyball", password), kfake.Superuser("PLAIN", "tests", "tests"))
		ours = append(ours, kgo.SASL(plain.Auth{User: "tests", Pass: "tests"}.AsMechanism()))
	}
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	s.broker = connect(t, apache.Prefix(t), c.ListenAddrs()[0], ours...)
	s.addr = func(access) string { return c.ListenAddrs()[0] }
}

// security writes the settings of a way of access.
func (s *secured) security(t *testing.T, a access) string {
	t.Helper()
	text := fmt.Sprintf(", tls: {caFile: %q", s.ca.CAFile)
	if a.mutual {
		text += fmt.Sprintf(", certFile: %q, keyFile: %q", s.own.CertFile, s.own.KeyFile)
	}
	text += "}"
	switch a.mechanism {
	case "":
	case "OAUTHBEARER":
		text += fmt.Sprintf(", sasl: {mechanism: OAUTHBEARER, tokenFile: %q}", token(t, "flyball"))
	default:
		text += fmt.Sprintf(", sasl: {mechanism: %s, username: flyball, password: %q}", a.mechanism, "${env:FLYBALL_TEST_PASSWORD}")
	}
	return text
}

// token writes a JSON web token without a signature.
func token(t *testing.T, subject string) string {
	t.Helper()
	now := time.Now().Unix()
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	text := part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, subject, now-60, now+3600)) + "."
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Whatever way in a broker offers, the whole of Flyball works over it; and who is
// not let in is told why, without a secret in what is said.
func TestSecureBrokers(t *testing.T) {
	t.Setenv("FLYBALL_TEST_PASSWORD", password)
	s := newSecured(t)
	for _, a := range accesses {
		t.Run(a.name, func(t *testing.T) {
			if !onApache() {
				if a.mechanism == "OAUTHBEARER" {
					t.Skip("kfake does not know OAUTHBEARER")
				}
				s.startFake(t, a)
			}
			s.works(t, a)
			s.refuses(t, a)
		})
	}
}

// works runs the whole program on a few spans.
func (s *secured) works(t *testing.T, a access) {
	t.Helper()
	topic := s.topic(t, a.name+".spans", 2)
	cfg := settings{brokers: []string{s.addr(a)}, topicPrefix: s.prefix + a.name + ".", group: s.prefix + a.name}
	cfg.security = s.security(t, a)
	p := start(t, "run", "--config", cfg.write(t, spanSource(topic)+getIndicator))
	s.produce(t, &kgo.Record{Topic: topic, Value: spans(t, span{service: "cart", name: "get", end: epoch, took: time.Millisecond})})
	s.produce(t, closers(t, topic, 2, epoch.Add(time.Minute))...)
	windows := s.prefix + a.name + ".windows"
	f := s.follow(t, windows)
	f.until(patience, "a window over "+a.name, func() string {
		for id, v := range decodeWindows(t, f.records[windows]) {
			if strings.Contains(id.Labels, "cart") && v.Count == 1 {
				return ""
			}
		}
		return fmt.Sprintf("%d records", len(f.records[windows]))
	})
	p.terminate()
	if strings.Contains(p.log.String(), password) {
		t.Errorf("the log shows the password:\n%s", p.log)
	}
}

// refuses tries what must not work.
func (s *secured) refuses(t *testing.T, a access) {
	t.Helper()
	f := func(what, security, want string) {
		t.Helper()
		cfg := settings{brokers: []string{s.addr(a)}, topicPrefix: s.prefix + "refused.", group: s.prefix + "refused", security: security}
		began := time.Now()
		p := start(t, "run", "--config", cfg.write(t, spanSource("none")+getIndicator))
		code := p.wait(patience)
		if code != 1 || !strings.Contains(p.log.String(), want) {
			t.Errorf("with %s it ended with %d, want 1 and %q:\n%s", what, code, want, p.log)
		}
		if text := p.log.String() + p.out.String(); strings.Contains(text, password) || strings.Contains(text, "gu3ss") {
			t.Errorf("with %s it shows a password:\n%s", what, text)
		}
		t.Logf("%s: %s after %s", what, lastLine(p.log.String()), time.Since(began).Round(100*time.Millisecond))
	}
	right := s.security(t, a)
	f("an unknown authority", strings.Replace(right, s.ca.CAFile, testcert.New(t).CAFile, 1), "unknown authority")
	switch {
	case a.mechanism == "OAUTHBEARER":
		empty := filepath.Join(t.TempDir(), "token")
		f("no token", right[:strings.Index(right, "tokenFile")]+fmt.Sprintf("tokenFile: %q}", empty), "tokenFile")
	case a.mechanism != "" && !onApache():
		// kfake hangs up without a word, and Flyball tries for half a minute.
	case a.mechanism != "":
		f("a wrong password", strings.Replace(right, "${env:FLYBALL_TEST_PASSWORD}", "gu3ss", 1), "SASL_AUTHENTICATION_FAILED")
	case a.mutual:
		f("no certificate", right[:strings.Index(right, ", certFile")]+"}", "certificate")
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
