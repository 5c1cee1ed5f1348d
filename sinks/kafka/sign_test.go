package kafka

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

func trusted(t testing.TB) map[string]ed25519.PublicKey {
	return map[string]ed25519.PublicKey{"k1": exampleKey(t).Public()}
}

func signedCommand(t testing.TB) *kgo.Record {
	return must(t)(exampleEncoder(t).Command(exampleCommand()))
}

func TestVerify(t *testing.T) {
	deadline := exampleCommand().Deadline.Std()
	f := func(at time.Time, want error) {
		t.Helper()
		r := signedCommand(t)
		if err := Verify(r.Headers, r.Value, trusted(t), at); !errors.Is(err, want) {
			t.Errorf("at %s: got %v, want %v", at, err, want)
		}
	}
	f(now.Std(), nil)
	f(deadline, nil)
	f(deadline.Add(1), ErrExpired)
}

// TestTamper changes everything that is signed, one thing at a time.
func TestTamper(t *testing.T) {
	f := func(name string, want error, change func(*kgo.Record)) {
		t.Helper()
		r := signedCommand(t)
		if err := Verify(r.Headers, r.Value, trusted(t), now.Std()); err != nil {
			t.Fatalf("before the change: %v", err)
		}
		change(r)
		if err := Verify(r.Headers, r.Value, trusted(t), now.Std()); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	header := func(key string, change func([]byte) []byte) func(*kgo.Record) {
		return func(r *kgo.Record) {
			i := slices.IndexFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == key })
			r.Headers[i].Value = change(slices.Clone(r.Headers[i].Value))
		}
	}
	to := func(s string) func([]byte) []byte { return func([]byte) []byte { return []byte(s) } }
	drop := func(key string) func(*kgo.Record) {
		return func(r *kgo.Record) {
			r.Headers = slices.DeleteFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == key })
		}
	}
	twice := func(key, value string) func(*kgo.Record) {
		return func(r *kgo.Record) {
			r.Headers = slices.Insert(r.Headers, 0, kgo.RecordHeader{Key: key, Value: []byte(value)})
		}
	}
	f("another id", ErrBadSignature, header(HeaderID, to("c-2")))
	f("another type", ErrBadSignature, header(HeaderType, to("dev.flyball.command.v2")))
	f("another target", ErrBadSignature, header(HeaderSubject, to("deploy/other")))
	f("a later expiry", ErrBadSignature, header(HeaderExpiryTime, to("2036-01-01T00:00:00Z")))
	f("an equal expiry written otherwise", ErrBadSignature, header(HeaderExpiryTime, to("2026-01-01T00:02:00.250Z")))
	f("another value", ErrBadSignature, func(r *kgo.Record) {
		r.Value = []byte(strings.Replace(string(r.Value), "rollback", "shutdown", 1))
	})
	f("a longer value", ErrBadSignature, func(r *kgo.Record) { r.Value = append(r.Value, ' ') })
	f("no value", ErrBadSignature, func(r *kgo.Record) { r.Value = nil })
	f("bytes moved from one header to the next", ErrBadSignature, func(r *kgo.Record) {
		header(HeaderID, to("c-"))(r)
		header(HeaderType, to("1"+TypeCommand))(r)
	})
	for _, key := range signedHeaders {
		f("no "+key, ErrBadSignature, drop(key))
		f("two of "+key, ErrBadSignature, twice(key, "x"))
	}
	f("no signature", ErrUnsigned, drop(HeaderSignature))
	f("two signatures", ErrUnsigned, twice(HeaderSignature, "x"))
	f("no key id", ErrUnknownKey, drop(HeaderKeyID))
	f("an unknown key", ErrUnknownKey, header(HeaderKeyID, to("k2")))
	f("a signature that is not base64", ErrBadSignature, header(HeaderSignature, to("?")))
	f("an empty signature", ErrBadSignature, header(HeaderSignature, to("")))
	f("a shorter signature", ErrBadSignature, header(HeaderSignature, func(b []byte) []byte {
		raw, err := base64.StdEncoding.DecodeString(string(b))
		if err != nil {
			t.Fatal(err)
		}
		return []byte(base64.StdEncoding.EncodeToString(raw[:63]))
	}))
	f("the signature of another key", ErrBadSignature, func(r *kgo.Record) {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		other, err := NewSigningKey("k1", private)
		if err != nil {
			t.Fatal(err)
		}
		*r = *must(t)(Encoder{Topics: Topics{}, Key: other}.Command(exampleCommand()))
	})
	f("a trusted key that signs another type", ErrBadSignature, func(r *kgo.Record) {
		drop(HeaderSignature)(r)
		drop(HeaderKeyID)(r)
		header(HeaderType, to(TypeDecision))(r)
		r.Headers = append(r.Headers, exampleKey(t).sign(r.Headers, r.Value)...)
	})
	// What is not signed may differ.
	f("another source", nil, header(HeaderSource, to("/elsewhere")))
	f("other headers", nil, twice("traceparent", "00-x"))
}

func TestLawAnyFlippedBit(t *testing.T) {
	keys := trusted(t)
	rapid.Check(t, func(rt *rapid.T) {
		r := signedCommand(t)
		fields := []*[]byte{&r.Value}
		for i, h := range r.Headers {
			if slices.Contains(signedHeaders[:], h.Key) || h.Key == HeaderSignature {
				fields = append(fields, &r.Headers[i].Value)
			}
		}
		field := rapid.SampledFrom(fields).Draw(rt, "field")
		i := rapid.IntRange(0, len(*field)-1).Draw(rt, "byte")
		(*field)[i] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		if Verify(r.Headers, r.Value, keys, now.Std()) == nil {
			rt.Fatalf("a changed command passes: %q", *field)
		}
	})
}

func TestLawFramesAreUnambiguous(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.StringN(0, 3, -1), 0, 4)
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		if !slices.Equal(a, b) && string(framed(a...)) == string(framed(b...)) {
			t.Fatalf("%q and %q are the same bytes", a, b)
		}
	})
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	marshal := func(der []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	seed := ed25519.NewKeyFromSeed([]byte("flyball test seed, 32 bytes long"))
	private := write("private.pem", "PRIVATE KEY", marshal(x509.MarshalPKCS8PrivateKey(seed)))
	public := write("public.pem", "PUBLIC KEY", marshal(x509.MarshalPKIXPublicKey(seed.Public())))

	key, err := LoadSigningKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	pub, err := LoadPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	if len(key.ID()) != 16 {
		t.Errorf("the key's id is %q, want 16 digits", key.ID())
	}
	r := must(t)(Encoder{Key: key}.Command(exampleCommand()))
	if err := Verify(r.Headers, r.Value, map[string]ed25519.PublicKey{key.ID(): pub}, now.Std()); err != nil {
		t.Error(err)
	}

	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	load := func(path string) error { _, err := LoadSigningKey(path, ""); return err }
	loadPublic := func(path string) error { _, err := LoadPublicKey(path); return err }
	f(load(filepath.Join(dir, "none")), "no such file")
	f(load(text), "it is not PEM")
	f(load(public), "it holds a PUBLIC KEY, want a PRIVATE KEY")
	f(load(write("curve", "PRIVATE KEY", marshal(x509.MarshalPKCS8PrivateKey(curve)))), "want Ed25519")
	f(load(write("junk", "PRIVATE KEY", []byte("junk"))), "cannot load signing key")
	f(loadPublic(private), "it holds a PRIVATE KEY, want a PUBLIC KEY")
	f(loadPublic(write("curve-public", "PUBLIC KEY", marshal(x509.MarshalPKIXPublicKey(curve.Public())))), "want Ed25519")
	_, err = NewSigningKey("short", ed25519.PrivateKey("short"))
	f(err, "it has 5 bytes")
}
