package pipeline

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config/spec"
)

// authority signs certificates for 127.0.0.1.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{dir: t.TempDir()}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a.key = key
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.write(t, "ca.pem", "CERTIFICATE", der)
	return a
}

func (a *authority) write(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// issue writes NAME.pem and NAME.key and returns the pair.
func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(a.write(t, name+".pem", "CERTIFICATE", der), a.write(t, name+".key", "PRIVATE KEY", private))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func TestSecurityOptionsReachAServerThatAsksForAll(t *testing.T) {
	a := newAuthority(t)
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	server := &tls.Config{Certificates: []tls.Certificate{a.issue(t, "server")}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	a.issue(t, "client")
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(server), kfake.EnableSASL(), kfake.Superuser(mechanism, "flyball", "pass word"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			ping := func(change func(*spec.Kafka)) error {
				k := spec.Kafka{
					TLS:  &spec.TLS{CAFile: a.dir + "/ca.pem", CertFile: a.dir + "/client.pem", KeyFile: a.dir + "/client.key"},
					SASL: &spec.SASL{Mechanism: mechanism, Username: "flyball", Password: "pass word"},
				}
				change(&k)
				opts, err := securityOptions(k)
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
		if _, err := securityOptions(k); err == nil || !strings.Contains(err.Error(), want) {
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
