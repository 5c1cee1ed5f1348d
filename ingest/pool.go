package ingest

import (
	"math/bits"

	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Pool is an Arrow allocator that keeps freed buffers for the next batch, by
// size class. It is owned by one goroutine, as the builders that use it are.
type Pool struct {
	base memory.Allocator
	free [48][][]byte
}

// poolDepth bounds the buffers kept per size class.
const poolDepth = 64

// NewPool returns an empty pool over the Go allocator.
func NewPool() *Pool { return &Pool{base: memory.NewGoAllocator()} }

// Allocate returns size bytes, zeroed only when they are new.
func (p *Pool) Allocate(size int) []byte {
	c := class(size)
	if c >= len(p.free) {
		return p.base.Allocate(size)
	}
	if n := len(p.free[c]); n > 0 {
		b := p.free[c][n-1]
		p.free[c] = p.free[c][:n-1]
		return b[:size]
	}
	return p.base.Allocate(1 << c)[:size]
}

// Reallocate returns a buffer of size bytes that starts with those of b.
func (p *Pool) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) {
		return b[:size]
	}
	out := p.Allocate(size)
	copy(out, b)
	p.Free(b)
	return out
}

// Free takes b back.
func (p *Pool) Free(b []byte) {
	c := class(cap(b))
	if cap(b) == 0 || c >= len(p.free) || cap(b) != 1<<c || len(p.free[c]) == poolDepth {
		return
	}
	p.free[c] = append(p.free[c], b[:0])
}

// class is the exponent of the smallest power of two that holds size.
func class(size int) int {
	if size <= 64 {
		return 6
	}
	return bits.Len(uint(size - 1))
}
