package kafka

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Headers of a signature.
const (
	// HeaderSignature holds the Ed25519 signature, in standard base64.
	HeaderSignature = "flyball-signature"
	// HeaderKeyID says which key signed.
	HeaderKeyID = "flyball-key-id"
)

// Why a command is not to be obeyed.
var (
	// ErrUnsigned means that there is no signature.
	ErrUnsigned = errors.New("the command is not signed")
	// ErrUnknownKey means that the signature names a key that is not trusted.
	ErrUnknownKey = errors.New("the signing key is not known")
	// ErrBadSignature means that the signature is not of this command.
	ErrBadSignature = errors.New("the signature does not match")
	// ErrExpired means that the command's deadline is over.
	ErrExpired = errors.New("the command has expired")
)

// signedHeaders are the headers that the signature covers, in its order.
var signedHeaders = [...]string{HeaderID, HeaderType, HeaderSubject, HeaderExpiryTime}

// signatureContext starts what is signed, so that a signature of something else
// by the same key is never one of a command.
const signatureContext = "flyball command signature v1"

// SigningKey signs commands.
type SigningKey struct {
	id  string
	key ed25519.PrivateKey
}

// NewSigningKey returns a key. An empty id becomes the first 16 hex digits of the
// SHA-256 of the public key.
func NewSigningKey(id string, key ed25519.PrivateKey) (*SigningKey, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("cannot use signing key %q: it has %d bytes, an Ed25519 key has %d", id, len(key), ed25519.PrivateKeySize)
	}
	k := &SigningKey{id: id, key: key}
	if id == "" {
		sum := sha256.Sum256(k.Public())
		k.id = hex.EncodeToString(sum[:8])
	}
	return k, nil
}

// LoadSigningKey reads an Ed25519 private key from a PEM file (PKCS #8, as made
// by `openssl genpkey -algorithm ed25519`). For id see [NewSigningKey].
func LoadSigningKey(file, id string) (*SigningKey, error) {
	der, err := readPEM(file, "PRIVATE KEY")
	if err != nil {
		return nil, fmt.Errorf("cannot load signing key %q: %w", file, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("cannot load signing key %q: %w", file, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("cannot load signing key %q: it is a %T, want Ed25519", file, key)
	}
	return NewSigningKey(id, private)
}

// LoadPublicKey reads an Ed25519 public key from a PEM file (PKIX, as made by
// `openssl pkey -pubout`), for [Verify].
func LoadPublicKey(file string) (ed25519.PublicKey, error) {
	der, err := readPEM(file, "PUBLIC KEY")
	if err != nil {
		return nil, fmt.Errorf("cannot load public key %q: %w", file, err)
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("cannot load public key %q: %w", file, err)
	}
	public, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("cannot load public key %q: it is a %T, want Ed25519", file, key)
	}
	return public, nil
}

// readPEM returns the bytes of the first PEM block, which must be of the kind.
func readPEM(file, kind string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it is not PEM")
	}
	if block.Type != kind {
		return nil, fmt.Errorf("it holds a %s, want a %s", block.Type, kind)
	}
	return block.Bytes, nil
}

// ID returns the id that the key's signatures name.
func (k *SigningKey) ID() string { return k.id }

// Public returns the key that executors check with.
func (k *SigningKey) Public() ed25519.PublicKey { return k.key.Public().(ed25519.PublicKey) }

// sign returns the headers of the signature.
func (k *SigningKey) sign(headers []kgo.RecordHeader, value []byte) []kgo.RecordHeader {
	message, err := signedMessage(headers, value)
	if err != nil {
		panic("BUG: a command cannot be signed: " + err.Error())
	}
	signature := base64.StdEncoding.EncodeToString(ed25519.Sign(k.key, message))
	return []kgo.RecordHeader{
		{Key: HeaderSignature, Value: []byte(signature)},
		{Key: HeaderKeyID, Value: []byte(k.id)},
	}
}

// signedMessage returns what is signed: the context, the signed headers and the
// SHA-256 of the value, each with its length in front (four bytes, big-endian).
func signedMessage(headers []kgo.RecordHeader, value []byte) ([]byte, error) {
	parts := []string{signatureContext}
	for _, name := range signedHeaders {
		v, err := one(headers, name)
		if err != nil {
			return nil, err
		}
		parts = append(parts, v)
	}
	sum := sha256.Sum256(value)
	return framed(append(parts, string(sum[:]))...), nil
}

// Verify says whether a command may be obeyed at the time now: nil, or an error
// that wraps ErrUnsigned, ErrUnknownKey, ErrBadSignature or ErrExpired. Keys are
// the trusted keys by id.
//
// The signature covers ce_id, ce_type, ce_subject, ce_expirytime and the value,
// and no other header. It says who sent the command and not that it is new: an
// executor must also remember the ce_id of what it has done, until the command
// has expired.
func Verify(headers []kgo.RecordHeader, value []byte, keys map[string]ed25519.PublicKey, now time.Time) error {
	encoded, err := one(headers, HeaderSignature)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	id, err := one(headers, HeaderKeyID)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnknownKey, err)
	}
	key, ok := keys[id]
	if !ok || len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: %q", ErrUnknownKey, id)
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	message, err := signedMessage(headers, value)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	if !ed25519.Verify(key, message, signature) {
		return ErrBadSignature
	}
	return checkSigned(headers, now)
}

// checkSigned checks what the signed headers say.
func checkSigned(headers []kgo.RecordHeader, now time.Time) error {
	typ, err := one(headers, HeaderType)
	if err != nil || typ != TypeCommand {
		return fmt.Errorf("%w: it is of a %q", ErrBadSignature, typ)
	}
	text, err := one(headers, HeaderExpiryTime)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	var expiry flyball.Time
	if err := expiry.UnmarshalJSON(quoted([]byte(text))); err != nil {
		return fmt.Errorf("%w: header %s: %w", ErrExpired, HeaderExpiryTime, err)
	}
	if now.After(expiry.Std()) {
		return fmt.Errorf("%w at %s", ErrExpired, expiry)
	}
	return nil
}

// one returns the value of a header that must be there once: with two, signer
// and reader could mean different ones.
func one(headers []kgo.RecordHeader, name string) (string, error) {
	is := func(h kgo.RecordHeader) bool { return h.Key == name }
	i := slices.IndexFunc(headers, is)
	if i < 0 {
		return "", fmt.Errorf("header %s is missing", name)
	}
	if slices.ContainsFunc(headers[i+1:], is) {
		return "", fmt.Errorf("header %s appears twice", name)
	}
	return string(headers[i].Value), nil
}
