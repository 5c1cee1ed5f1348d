package histogram

import "encoding/binary"

// mergeAtOnce is MergeBinary for what nearly all merges are: positive buckets and
// perhaps zeros, at scale 5 on both sides, that fit without downscaling. It adds while
// it checks, in one pass. It reports false, with h as it was, for everything else,
// malformed input included; the general path then deals with it.
func (h *Histogram) mergeAtOnce(data []byte) bool {
	if len(data) < 4 || data[0]&^hasZero != encodingVersion|hasPositive || h.shift != 0 {
		return false
	}
	r, zero := reader{data: data, at: 1}, uint64(0)
	if data[0]&hasZero != 0 {
		if zero = r.uvarint(); zero == 0 || zero > MaxCount {
			return false
		}
	}
	first, span := r.varint(), r.uvarint()
	if r.bad || first < minIndex || first > maxIndex || span > maxIndex-uint64(first) {
		return false
	}
	lo := int(first)
	if !h.pos.extend(lo, lo+int(span)) {
		return false
	}
	window := h.pos.counts[lo-h.pos.base:][:span+1]
	body := data[r.at:]
	used, total, full := addTokens(window, body)
	if full && used == len(body) && h.canHold(total+zero) {
		h.count += total + zero
		h.zero += zero
		return true
	}
	subtractTokens(window, body[:used])
	return false
}

// addTokens adds the counts in body to window and returns how many bytes it used
// and the sum of the counts. It stops at the first thing wrong; full says that it
// found nothing and reached the end of the window.
func addTokens(window []uint64, body []byte) (used int, total uint64, full bool) {
	i, gap, carry := 0, true, uint64(0)
	for at := 0; at < len(body); used = at {
		v := uint64(body[at])
		at++
		if v >= 0x80 {
			// Two bytes are common enough to be spelled out, too.
			if at < len(body) && body[at]-1 < 0x7f {
				v += uint64(body[at])<<7 - 0x80
				at++
			} else if v, at = longToken(body, at-1); v == 0 {
				return used, total, false
			}
		}
		n := v >> 1
		if n == 0 {
			return used, total, false
		}
		if v&1 == 0 {
			window[i] += n
			i++
			gap = false
			total += n
			carry |= total
			if i == len(window) {
				return at, total, carry <= MaxCount
			}
			continue
		}
		if gap || n >= uint64(len(window)-i) {
			return used, total, false
		}
		i += int(n)
		gap = true
	}
	return used, total, false
}

// longToken reads the number at body[at], which is 0 if it is malformed or not in its
// shortest form.
func longToken(body []byte, at int) (v uint64, next int) {
	v, n := binary.Uvarint(body[at:])
	if n <= 0 || body[at+n-1] == 0 {
		return 0, at
	}
	return v, at + n
}

// subtractTokens undoes addTokens, given the bytes that it used.
func subtractTokens(window []uint64, body []byte) {
	for at, i := 0, 0; at < len(body); {
		v, n := binary.Uvarint(body[at:])
		if v&1 == 0 {
			window[i] -= v >> 1
			i++
		} else {
			i += int(v >> 1)
		}
		at += n
	}
}
