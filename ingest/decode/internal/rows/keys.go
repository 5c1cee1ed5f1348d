package rows

// Keys finds the few wanted keys among the many that a record holds. Nearly
// every lookup is a miss, so most misses are told by the length alone, and the
// others cost one load: the hash takes the length and two bytes, and most of the
// 256 places are empty.
type Keys struct {
	lengths uint64      // bit n is set when some key has n bytes; 63 stands for more too
	first   [256]uint16 // number of a key + 1, or 0
	keys    []string
	next    []uint16 // number + 1 of the next key in the same place, or 0
}

func keyHash(key []byte) uint8 {
	if len(key) == 0 {
		return 0
	}
	return uint8(len(key)*37) ^ uint8(key[len(key)-1]*5) ^ key[len(key)/2]
}

// Add returns the number of a key, counted from 0, a new one if it is new.
func (t *Keys) Add(key string) int {
	if n := t.Find([]byte(key)); n >= 0 {
		return n
	}
	h := keyHash([]byte(key))
	t.lengths |= lengthBit(len(key))
	t.keys = append(t.keys, key)
	t.next = append(t.next, t.first[h])
	t.first[h] = uint16(len(t.keys))
	return len(t.keys) - 1
}

// MayHold reports false for most keys that were not added.
func (t *Keys) MayHold(key []byte) bool {
	return t.lengths&lengthBit(len(key)) != 0 && t.first[keyHash(key)] != 0
}

func lengthBit(n int) uint64 { return 1 << (min(uint(n), 63) & 63) }

// Find returns the number of a key, or -1.
func (t *Keys) Find(key []byte) int {
	if t.lengths&lengthBit(len(key)) == 0 {
		return -1
	}
	n := t.first[keyHash(key)]
	for n != 0 {
		if t.keys[n-1] == string(key) {
			return int(n - 1)
		}
		n = t.next[n-1]
	}
	return -1
}
