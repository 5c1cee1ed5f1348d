package otlp

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// Identity is a hash of attributes, whatever their order and the encoding that they
// came in. It is the same in every process.
type Identity struct{ Hi, Lo uint64 }

// Join adds the attributes of another one.
func (d *Identity) Join(o Identity) {
	d.Hi += o.Hi
	d.Lo += o.Lo
}

// AddIdentity adds an attribute of a level to d.
func (r *Row) AddIdentity(d *Identity, l Level, key []byte, v *AnyValue) {
	s := append(r.hashed[:0], byte(l), byte(v.Kind))
	s = binary.AppendUvarint(s, uint64(len(key)))
	s = append(s, key...)
	s = v.AppendText(s)
	d.Lo += xxhash.Sum64(s)
	s = append(s, 0xff)
	d.Hi += xxhash.Sum64(s)
	r.hashed = s
}

// AddIdentities adds the attributes of a level to d: the fields with a tag in m.
func (r *Row) AddIdentities(d *Identity, l Level, m []byte, tag uint64) {
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = NextField(m, i); i < 0 {
			return
		}
		if t != tag {
			continue
		}
		key, value, ok := ReadKeyValue(m[from:i])
		if !ok {
			continue
		}
		if v, ok := ReadAny(value); ok {
			r.AddIdentity(d, l, key, &v)
		}
	}
}
