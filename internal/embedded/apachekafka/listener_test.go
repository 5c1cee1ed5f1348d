package apachekafka

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
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

// selfSigned returns a certificate for the loopback address and its key, both in PEM.
func selfSigned(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "broker"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.ParseIP(loopback)},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func TestListenerWithTLSAndSASL(t *testing.T) {
	SkipUnlessEnabled(t)
	ctx := testContext(t)
	certificate, key := selfSigned(t)
	b, err := Start(ctx, Config{Dir: t.TempDir(), Listeners: []Listener{{
		Name: "SECURE", Protocol: "SASL_SSL", Properties: map[string]string{
			"ssl.keystore.type":              "PEM",
			"ssl.keystore.certificate.chain": string(certificate),
			"ssl.keystore.key":               string(key),
			"sasl.enabled.mechanisms":        "PLAIN",
			"plain.sasl.jaas.config":         `org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="wonder\land";`,
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Kill)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(certificate) {
		t.Fatal("no certificate")
	}
	f := func(password string, wantOK bool) {
		t.Helper()
		client := newClient(t, b.ListenerAddr("SECURE"),
			kgo.DialTLSConfig(&tls.Config{RootCAs: roots}),
			kgo.SASL(plain.Auth{User: "alice", Pass: password}.AsMechanism()))
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := client.Ping(ctx); (err == nil) != wantOK {
			t.Errorf("ping with password %q: %v", password, err)
		}
	}
	// JAAS reads "\l" in its quotes as "l"; that it arrives so shows that the properties file kept the backslash.
	f("wonderland", true)
	f("something else", false)
}
