// Package connect opens connections as a configuration says: encrypted, and with the
// credentials that it names.
package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// Kafka returns the options of a Kafka client that encrypt its connections
// and say who it is.
func Kafka(k spec.Kafka) ([]kgo.Opt, error) {
	var opts []kgo.Opt
	if k.TLS != nil {
		c, err := tlsConfig("kafka.tls", *k.TLS)
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(c))
	}
	if k.SASL != nil {
		m, err := saslMechanism(*k.SASL)
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.SASL(m))
	}
	return opts, nil
}

// ClickHouse prepares connections to the database of a configuration.
func ClickHouse(c spec.ClickHouse) (*clickhouse.DB, error) {
	cfg := clickhouse.Config{DSN: string(c.DSN)}
	if c.TLS != nil {
		var err error
		if cfg.TLS, err = tlsConfig("clickhouse.tls", *c.TLS); err != nil {
			return nil, err
		}
	}
	return clickhouse.Open(cfg)
}

// tlsConfig reads the certificates that a part of the configuration names.
func tlsConfig(path string, t spec.TLS) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s.caFile: %w", path, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("cannot use %s.caFile %q: it holds no certificate in PEM", path, t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("cannot use %s.certFile and keyFile: %w", path, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func saslMechanism(s spec.SASL) (sasl.Mechanism, error) {
	user, password := s.Username, string(s.Password)
	switch s.Mechanism {
	case "PLAIN":
		return plain.Auth{User: user, Pass: password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: user, Pass: password}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: user, Pass: password}.AsSha512Mechanism(), nil
	case "OAUTHBEARER":
		return oauth.Oauth(func(context.Context) (oauth.Auth, error) {
			token, err := os.ReadFile(s.TokenFile)
			if err != nil {
				return oauth.Auth{}, fmt.Errorf("cannot read kafka.sasl.tokenFile: %w", err)
			}
			return oauth.Auth{Token: strings.TrimSpace(string(token))}, nil
		}), nil
	}
	return nil, fmt.Errorf("cannot authenticate by %q: want PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER", s.Mechanism)
}
