package dev

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flyball-io/flyball/internal/config/spec"
)

// publicKey is the file of the public half.
const publicKey = "signing.pub.pem"

// keyID names the key of the demonstration in signatures.
const keyID = "dev"

// signingKey makes the key that signs commands, once per directory, and its
// public half beside it for executors.
func signingKey(dir string) (spec.Signing, error) {
	file := filepath.Join(dir, "signing.pem")
	s := spec.Signing{KeyFile: file, KeyID: keyID}
	if _, err := os.Stat(file); err == nil {
		return s, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("cannot use signing key: %w", err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return s, fmt.Errorf("cannot make signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return s, fmt.Errorf("cannot make signing key: %w", err)
	}
	if err := writePEM(file, "PRIVATE KEY", der, 0o600); err != nil {
		return s, err
	}
	if der, err = x509.MarshalPKIXPublicKey(public); err != nil {
		return s, fmt.Errorf("cannot make signing key: %w", err)
	}
	return s, writePEM(filepath.Join(dir, publicKey), "PUBLIC KEY", der, 0o644)
}

func writePEM(file, kind string, der []byte, mode fs.FileMode) error {
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return fmt.Errorf("cannot keep signing key: %w", err)
	}
	return nil
}
