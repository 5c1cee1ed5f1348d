package chdb

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
)

// unpackLimit bounds what a tarball may unpack to.
const unpackLimit = 4 << 30

// verify compares a file's SHA-512, in base64, with the one expected.
func verify(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot open tarball: %w", err)
	}
	defer f.Close()
	hash := sha512.New()
	if _, err := io.Copy(hash, f); err != nil {
		return fmt.Errorf("cannot read tarball %q: %w", path, err)
	}
	if got := base64.StdEncoding.EncodeToString(hash.Sum(nil)); got != want {
		return fmt.Errorf("the tarball has the wrong checksum: got sha512-%s, want sha512-%s; it was thrown away; check which registry npm is set to", got, want)
	}
	return nil
}

// unpack writes one member of a gzipped tar file to a new file.
func unpack(tarball, member, to string) (err error) {
	f, err := os.Open(tarball)
	if err != nil {
		return fmt.Errorf("cannot open tarball: %w", err)
	}
	defer f.Close()
	zipped, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("cannot unpack tarball %q: %w", tarball, err)
	}
	members := tar.NewReader(zipped)
	for {
		header, err := members.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("cannot unpack tarball %q: it has no %s", tarball, member)
		}
		if err != nil {
			return fmt.Errorf("cannot unpack tarball %q: %w", tarball, err)
		}
		if header.Name == member && header.Typeflag == tar.TypeReg {
			return writeFile(to, io.LimitReader(members, unpackLimit))
		}
	}
}

func writeFile(path string, r io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return fmt.Errorf("cannot write file: %w", err)
	}
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return fmt.Errorf("cannot write file %q: %w", path, err)
	}
	// Synced before the rename, or a crash could leave a full-length name on
	// an empty file that is then taken for good.
	if err := f.Sync(); err != nil {
		f.Close()
		return fmt.Errorf("cannot write file %q: %w", path, err)
	}
	return f.Close()
}
