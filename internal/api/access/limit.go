package access

import (
	"container/list"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

// How often somebody may ask, where nothing else is said; in one go it may be burst
// times as often.
const (
	defaultPerSecond = 50
	burst            = 4
)

// How many wrong tokens an address may send: ten in one go, then one in ten seconds.
// Those of so many addresses are counted.
const (
	failuresPerSecond = 0.1
	failuresAtOnce    = 10
	failingAddresses  = 4096
)

// failures counts wrong tokens by address. When there are too many addresses, the one
// that has sent none for longest is forgotten.
type failures struct {
	mu     sync.Mutex
	byAddr map[netip.Prefix]*list.Element
	order  list.List // of failing, the latest in front
}

type failing struct {
	addr    netip.Prefix
	limiter *rate.Limiter
}

func newFailures() *failures { return &failures{byAddr: map[netip.Prefix]*list.Element{}} }

// allow counts a wrong token from a remote address and reports whether there were few.
func (f *failures) allow(remote string) bool {
	var from netip.Prefix // invalid where the address is not known: one for all of those
	if a, err := netip.ParseAddrPort(remote); err == nil {
		addr, bits := a.Addr().Unmap(), 32
		if addr.Is6() {
			bits = 64 // who has one address of such a network has them all
		}
		from, _ = addr.WithZone("").Prefix(bits) // the bits fit
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.byAddr[from]
	if e == nil {
		e = f.order.PushFront(&failing{from, rate.NewLimiter(failuresPerSecond, failuresAtOnce)})
		f.byAddr[from] = e
		if f.order.Len() > failingAddresses {
			last := f.order.Back()
			f.order.Remove(last)
			delete(f.byAddr, last.Value.(*failing).addr)
		}
	}
	f.order.MoveToFront(e)
	return e.Value.(*failing).limiter.Allow()
}
