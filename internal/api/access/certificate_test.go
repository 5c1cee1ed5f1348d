package access

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/testcert"
)

func TestCertificateIsReadAgain(t *testing.T) {
	authority := testcert.New(t)
	one, two := authority.Issue(t, "one"), authority.Issue(t, "two")
	dir := t.TempDir()
	files := spec.ServerTLS{CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key")}
	write := func(name, from string, at time.Time) {
		t.Helper()
		text := []byte("no certificate")
		if from != "" {
			var err error
			if text, err = os.ReadFile(from); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	use := func(cert, key string, at time.Time) { write(files.CertFile, cert, at); write(files.KeyFile, key, at) }
	at := time.Unix(1_700_000_000, 0)
	if _, err := TLS(files, nil); err == nil || !strings.Contains(err.Error(), "http.tls.certFile") {
		t.Errorf("files that are not there: %v", err)
	}
	use(one.CertFile, one.KeyFile, at)
	now := at
	c := &certificate{files: files, log: slog.New(slog.DiscardHandler), now: func() time.Time { return now }}
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	f := func(when, want string) {
		t.Helper()
		now = now.Add(checkEvery)
		if got := c.current().Leaf.Subject.CommonName; got != want {
			t.Errorf("%s it is %q, want %q", when, got, want)
		}
	}
	f("at first", "one")
	use(two.CertFile, two.KeyFile, at.Add(time.Second))
	f("after a change", "two")
	use(one.CertFile, two.KeyFile, at.Add(2*time.Second))
	f("while the key is that of another", "two")
	use("", "", at.Add(3*time.Second))
	f("while the files are broken", "two")
	use(one.CertFile, one.KeyFile, at.Add(4*time.Second))
	f("when they are whole again", "one")
}
