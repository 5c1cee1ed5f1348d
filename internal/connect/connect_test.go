package connect

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/testcert"
)

func TestSecurityOptionsReachAServerThatAsksForAll(t *testing.T) {
	a := testcert.New(t)
	server := &tls.Config{Certificates: []tls.Certificate{a.Issue(t, "server").Certificate}, ClientCAs: a.Pool(), ClientAuth: tls.RequireAndVerifyClientCert}
	own := a.Issue(t, "client")
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(server), kfake.EnableSASL(), kfake.Superuser(mechanism, "flyball", "pass word"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			ping := func(change func(*spec.Kafka)) error {
				k := spec.Kafka{
					TLS:  &spec.TLS{CAFile: a.CAFile, CertFile: own.CertFile, KeyFile: own.KeyFile},
					SASL: &spec.SASL{Mechanism: mechanism, Username: "flyball", Password: "pass word"},
				}
				change(&k)
				opts, err := Kafka(k)
				if err != nil {
					t.Fatal(err)
				}
				cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(c.ListenAddrs()...), kgo.RetryTimeout(2*time.Second), kgo.RequestRetries(1))...)
				if err != nil {
					t.Fatal(err)
				}
				defer cl.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				return cl.Ping(ctx)
			}
			if err := ping(func(*spec.Kafka) {}); err != nil {
				t.Errorf("with everything right: %v", err)
			}
			for name, change := range map[string]func(*spec.Kafka){
				"no certificate of our own": func(k *spec.Kafka) { k.TLS.CertFile, k.TLS.KeyFile = "", "" },
				"an unknown authority":      func(k *spec.Kafka) { k.TLS.CAFile = "" },
				"another server's name":     func(k *spec.Kafka) { k.TLS.ServerName = "kafka.example" },
				"a wrong password":          func(k *spec.Kafka) { k.SASL.Password = "guess" },
				"no SASL":                   func(k *spec.Kafka) { k.SASL = nil },
				"no TLS":                    func(k *spec.Kafka) { k.TLS = nil },
			} {
				if err := ping(change); err == nil {
					t.Errorf("connected with %s", name)
				} else if strings.Contains(err.Error(), "pass word") || strings.Contains(err.Error(), "guess") {
					t.Errorf("with %s the error shows the password: %v", name, err)
				}
			}
		})
	}
}

func TestSecurityOptionsNameTheFileThatIsWrong(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(k spec.Kafka, want string) {
		t.Helper()
		if _, err := Kafka(k); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want something about %q", err, want)
		}
	}
	f(spec.Kafka{TLS: &spec.TLS{CAFile: "/nowhere/ca.pem"}}, "/nowhere/ca.pem")
	f(spec.Kafka{TLS: &spec.TLS{CAFile: empty}}, "no certificate")
	f(spec.Kafka{TLS: &spec.TLS{CertFile: empty, KeyFile: empty}}, "certFile")
	f(spec.Kafka{SASL: &spec.SASL{Mechanism: "GSSAPI"}}, "GSSAPI")
}

func TestTokenIsReadAgainAtEveryConnection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	m, err := saslMechanism(spec.SASL{Mechanism: "OAUTHBEARER", TokenFile: path})
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"first", "second"} {
		if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, message, err := m.Authenticate(t.Context(), "127.0.0.1")
		if err != nil || !strings.Contains(string(message), "auth=Bearer "+token+"\x01") {
			t.Errorf("got %q, %v, want the token %q", message, err, token)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.Authenticate(t.Context(), "127.0.0.1"); err == nil {
		t.Error("authenticated without a token")
	}
}
