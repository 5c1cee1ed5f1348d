package histogram

// store is the buckets of one sign: a dense slice of counts that grows on both
// sides with the range in use, to MaxBuckets at most. It knows nothing of scales.
type store struct {
	counts []uint64 // counts[i] belongs to bucket base+i; zeros at the ends are slack
	base   int
}

// growthStep is the granularity of allocated windows, in buckets.
const growthStep = 16

// occupied returns the lowest and highest bucket with a count.
func (s *store) occupied() (lo, hi int, ok bool) {
	i, j := 0, len(s.counts)-1
	for i <= j && s.counts[i] == 0 {
		i++
	}
	if i > j {
		return 0, 0, false
	}
	for s.counts[j] == 0 {
		j--
	}
	return s.base + i, s.base + j, true
}

// covers reports whether buckets lo to hi lie in the allocated window.
func (s *store) covers(lo, hi int) bool {
	return lo >= s.base && hi < s.base+len(s.counts)
}

// coversAll reports whether the window of o lies in the window of s.
func (s *store) coversAll(o *store) bool {
	return len(o.counts) == 0 || s.covers(o.base, o.base+len(o.counts)-1)
}

// extend makes the window include buckets lo to hi, unless what is occupied would then
// span more than MaxBuckets, which it reports.
func (s *store) extend(lo, hi int) bool {
	if s.covers(lo, hi) {
		return true
	}
	if olo, ohi, any := s.occupied(); any {
		lo, hi = min(lo, olo), max(hi, ohi)
	}
	if hi-lo >= MaxBuckets {
		return false
	}
	s.reserve(lo, hi)
	return true
}

// reserve makes the window include buckets lo to hi, which must include all
// occupied ones and be MaxBuckets at most.
func (s *store) reserve(lo, hi int) {
	if s.covers(lo, hi) {
		return
	}
	need := hi - lo + 1
	olo, ohi, any := s.occupied()
	if need > cap(s.counts) {
		size := min((need+need/2+growthStep-1)/growthStep*growthStep, MaxBuckets)
		grown := make([]uint64, size)
		base := lo - (size-need)/2
		if any {
			copy(grown[olo-base:], s.counts[olo-s.base:ohi-s.base+1])
		}
		s.counts, s.base = grown, base
		return
	}
	s.slide(lo, hi, olo, ohi, any)
}

// slide moves the window within its own memory so that it includes lo to hi.
func (s *store) slide(lo, hi, olo, ohi int, any bool) {
	all := s.counts[:min(cap(s.counts), MaxBuckets)]
	base := lo - (len(all)-(hi-lo+1))/2
	if !any {
		clear(all)
	} else {
		copy(all[olo-base:], s.counts[olo-s.base:ohi-s.base+1])
		clear(all[:olo-base])
		clear(all[ohi-base+1:])
	}
	s.counts, s.base = all, base
}

// downscale folds every 2^d neighbouring buckets into one, in place.
func (s *store) downscale(d uint) {
	if len(s.counts) == 0 {
		return
	}
	base := s.base >> d
	for i, c := range s.counts {
		// The target is never above i, so what was read is out of the way.
		s.counts[i] = 0
		s.counts[(s.base+i)>>d-base] += c
	}
	s.counts = s.counts[:(s.base+len(s.counts)-1)>>d-base+1]
	s.base = base
}

// add adds the counts of o, whose buckets are 2^d times finer. The window must
// cover o's occupied buckets.
func (s *store) add(o *store, d uint) {
	lo, hi, any := o.occupied()
	if !any {
		return
	}
	src := o.counts[lo-o.base : hi-o.base+1]
	if d == 0 {
		addCounts(s.counts[lo-s.base:], src)
		return
	}
	for i, c := range src {
		s.counts[(lo+i)>>d-s.base] += c
	}
}

// addCounts adds src to the front of dst, element by element.
func addCounts(dst, src []uint64) {
	dst = dst[:len(src)]
	for i, c := range src {
		dst[i] += c
	}
}

// equal reports whether both stores hold the same counts in the same buckets.
func (s *store) equal(o *store) bool {
	slo, shi, sok := s.occupied()
	olo, ohi, ook := o.occupied()
	if sok != ook || slo != olo || shi != ohi {
		return false
	}
	if !sok {
		return true
	}
	a, b := s.counts[slo-s.base:shi-s.base+1], o.counts[olo-o.base:ohi-o.base+1]
	for i, c := range a {
		if b[i] != c {
			return false
		}
	}
	return true
}

// copyFrom makes s hold the occupied buckets of o, in its own memory if they fit.
func (s *store) copyFrom(o *store) {
	lo, hi, any := o.occupied()
	if !any {
		clear(s.counts)
		return
	}
	s.counts = append(s.counts[:0], o.counts[lo-o.base:hi-o.base+1]...)
	s.base = lo
}
