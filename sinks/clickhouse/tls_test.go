package clickhouse

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/internal/testcert"
)

// encrypted puts a server that ends TLS in front of the embedded ClickHouse, which
// has none. It wants a certificate of its clients if mutual is set.
func encrypted(t *testing.T, a *testcert.Authority, mutual bool) (addr, database string) {
	t.Helper()
	db := embeddedtest.ClickHouse(t)
	plain := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: db.Server.Addr()})
	}}
	server := httptest.NewUnstartedServer(plain)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{a.Issue(t, "clickhouse").Certificate}}
	if mutual {
		server.TLS.ClientAuth, server.TLS.ClientCAs = tls.RequireAndVerifyClientCert, a.Pool()
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), db.Name
}

// openAndMigrate does what is first done with a database.
func openAndMigrate(t *testing.T, c Config) error {
	t.Helper()
	db, err := Open(c)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Migrate(t.Context())
	return err
}

func TestEncryptedHTTP(t *testing.T) {
	a, other := testcert.New(t), testcert.New(t)
	own := a.Issue(t, "flyball")
	for _, mutual := range []bool{false, true} {
		addr, database := encrypted(t, a, mutual)
		dsn := "https://default:pass%20word@" + addr + "/" + database
		good := func() *tls.Config {
			return &tls.Config{RootCAs: a.Pool(), Certificates: []tls.Certificate{own.Certificate}}
		}
		if err := openAndMigrate(t, Config{DSN: dsn, TLS: good()}); err != nil {
			t.Errorf("mutual %v: %v", mutual, err)
		}
		f := func(dsn string, want string, change func(*tls.Config)) {
			t.Helper()
			c := good()
			change(c)
			err := openAndMigrate(t, Config{DSN: dsn, TLS: c})
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pass") {
				t.Errorf("mutual %v: got %v, want something about %q without the password", mutual, err, want)
			}
			var e *Error
			if errors.As(err, &e) && !Retryable(err) {
				t.Errorf("%v is taken for permanent: certificates are renewed", err)
			}
		}
		f(dsn, "unknown authority", func(c *tls.Config) { c.RootCAs = other.Pool() })
		f(dsn, "unknown authority", func(c *tls.Config) { c.RootCAs = nil })
		f(dsn, "clickhouse.example", func(c *tls.Config) { c.ServerName = "clickhouse.example" })
		f(strings.Replace(dsn, "https:", "http:", 1), "does not ask for an encrypted connection", func(*tls.Config) {})
		if mutual {
			f(dsn, "certificate required", func(c *tls.Config) { c.Certificates = nil })
		}
	}
}

// The native protocol is encrypted from its first byte: the embedded server does
// not speak it, but what reaches it can be seen.
func TestEncryptedNativeProtocol(t *testing.T) {
	a := testcert.New(t)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{a.Issue(t, "clickhouse").Certificate}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.Pool(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	hello := make(chan []byte, 16)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveHello(conn, hello)
		}
	}()
	dsn := "clickhouse://u:hunter2@" + listener.Addr().String() + "/flyball?secure=true&dial_timeout=5s"
	own := a.Issue(t, "flyball")
	err = openAndMigrate(t, Config{DSN: dsn, TLS: &tls.Config{RootCAs: a.Pool(), Certificates: []tls.Certificate{own.Certificate}}})
	if err == nil || strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("with the right certificates: %v", err)
	}
	// The client's hello: packet 0, then its name.
	if got := <-hello; len(got) < 2 || got[0] != 0 || !strings.Contains(string(got), "clickhouse-go") {
		t.Errorf("the server got %q", got)
	}
	err = openAndMigrate(t, Config{DSN: dsn, TLS: &tls.Config{Certificates: []tls.Certificate{own.Certificate}}})
	if err == nil || !strings.Contains(err.Error(), "unknown authority") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("with an unknown authority: %v", err)
	}
	if len(hello) > 0 {
		t.Errorf("a server that is not trusted got %q", <-hello)
	}
}

// serveHello passes on the first bytes of a connection, and ends it.
func serveHello(conn net.Conn, hello chan<- []byte) {
	defer conn.Close()
	b := make([]byte, 256)
	if n, err := conn.Read(b); err == nil {
		hello <- b[:n]
	}
}

// A DSN that cannot be read is not shown: it has a password in it.
func TestErrorsDoNotShowTheDSN(t *testing.T) {
	for _, dsn := range []string{
		"clickhouse://u:hunter2@host:port/flyball", "http://u:hunter2@ho st/flyball", "ftp://u:hunter2@host/flyball",
		"clickhouse://u:hunter2@host/flyball?dial_timeout=soon", "https://u:hunter2@host/flyball?secure=false",
		"clickhouse://u:hunter2@host/flyball?compress=maybe", "clickhouse://u:hunter2%zz@host/flyball", "://u:hunter2@host",
		"http://u:hunter2@127.0.0.1:1/flyball?dial_timeout=200ms", "clickhouse://u:hunter2@127.0.0.1:1/flyball?dial_timeout=200ms",
	} {
		err := openAndMigrate(t, Config{DSN: dsn})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}
