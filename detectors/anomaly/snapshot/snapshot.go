// Package snapshot turns the memory of a detector into bytes and back. One walk
// over the fields serves both directions, so what is written and what is read
// cannot drift apart.
package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrMalformed is returned for bytes that no detector of this configuration
// wrote.
var ErrMalformed = errors.New("malformed snapshot")

// Codec walks over fields: it appends them to a buffer when writing and sets
// them from one when reading. After the first error it does nothing.
type Codec struct {
	buf     []byte
	reading bool
	err     error
}

// Writer returns a codec that appends to dst.
func Writer(dst []byte) *Codec { return &Codec{buf: dst} }

// Reader returns a codec that reads from src.
func Reader(src []byte) *Codec { return &Codec{buf: src, reading: true} }

// Bytes returns what was written.
func (c *Codec) Bytes() []byte { return c.buf }

// Close reports the first error, or that bytes are left over.
func (c *Codec) Close() error {
	if c.err == nil && c.reading && len(c.buf) > 0 {
		c.err = fmt.Errorf("%w: %d bytes too many", ErrMalformed, len(c.buf))
	}
	return c.err
}

// Fail records that a field has a value it cannot have.
func (c *Codec) Fail(what string) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %s", ErrMalformed, what)
	}
}

func (c *Codec) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if len(c.buf) < n {
		c.Fail("too short")
		return nil
	}
	b := c.buf[:n]
	c.buf = c.buf[n:]
	return b
}

// Uint64 codes v in 8 bytes.
func (c *Codec) Uint64(v *uint64) {
	if !c.reading {
		c.buf = binary.LittleEndian.AppendUint64(c.buf, *v)
	} else if b := c.take(8); b != nil {
		*v = binary.LittleEndian.Uint64(b)
	}
}

// Uint32 codes v in 4 bytes.
func (c *Codec) Uint32(v *uint32) {
	if !c.reading {
		c.buf = binary.LittleEndian.AppendUint32(c.buf, *v)
	} else if b := c.take(4); b != nil {
		*v = binary.LittleEndian.Uint32(b)
	}
}

// Uint8 codes v in a byte.
func (c *Codec) Uint8(v *uint8) {
	if !c.reading {
		c.buf = append(c.buf, *v)
	} else if b := c.take(1); b != nil {
		*v = b[0]
	}
}

// Bool codes v in a byte.
func (c *Codec) Bool(v *bool) {
	var b uint8
	if *v {
		b = 1
	}
	c.Uint8(&b)
	*v = b == 1
}

// Int64 codes v in 8 bytes.
func (c *Codec) Int64(v *int64) {
	u := uint64(*v)
	c.Uint64(&u)
	*v = int64(u)
}

// Count codes a number that is never negative.
func (c *Codec) Count(v *int) {
	u := uint64(*v)
	c.Uint64(&u)
	if u > math.MaxInt64 {
		c.Fail("negative count")
		return
	}
	*v = int(u)
}

// Index codes a number of [0, n).
func (c *Codec) Index(v *int, n int) {
	i := *v
	c.Count(&i)
	if i >= n {
		c.Fail("index out of range")
		return
	}
	*v = i
}

// Float64 codes v bit by bit.
func (c *Codec) Float64(v *float64) {
	u := math.Float64bits(*v)
	c.Uint64(&u)
	*v = math.Float64frombits(u)
}

// Float32 codes v bit by bit.
func (c *Codec) Float32(v *float32) {
	u := math.Float32bits(*v)
	c.Uint32(&u)
	*v = math.Float32frombits(u)
}

// Float64s codes the elements of v, whose number the configuration fixes.
func (c *Codec) Float64s(v []float64) {
	for i := range v {
		c.Float64(&v[i])
	}
}

// Float32s codes the elements of v, whose number the configuration fixes.
func (c *Codec) Float32s(v []float32) {
	for i := range v {
		c.Float32(&v[i])
	}
}

// Uint32s codes the elements of v, whose number the configuration fixes.
func (c *Codec) Uint32s(v []uint32) {
	for i := range v {
		c.Uint32(&v[i])
	}
}
