// Package identity makes ids that depend on nothing but what caused something.
package identity

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Of returns 32 hex digits of the SHA-256 of the parts. Each part is
// preceded by its length, so that no two lists of parts are the same bytes.
func Of(parts ...string) string {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
