package pipeline

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Health says how the group members of a process are. Its zero value is ready for use.
type Health struct {
	mu      sync.Mutex
	members map[string]*MemberHealth
}

// MemberHealth is how one member is.
type MemberHealth struct {
	// Role of the member.
	Role string `json:"role"`
	// Name tells it from the others of the process.
	Name string `json:"name"`
	// Joined is whether it is in its group, and has restored what it was given there. It
	// may have been given nothing: a standby has all that it needs.
	Joined bool `json:"joined"`
	// Partitions that it was given.
	Partitions int `json:"partitions"`
	// Committed is when its last transaction was, zero before the first.
	Committed time.Time `json:"committed,omitzero"`
}

// Members returns how they are, by role and name.
func (h *Health) Members() []MemberHealth {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []MemberHealth
	for _, m := range h.members {
		out = append(out, *m)
	}
	slices.SortFunc(out, func(a, b MemberHealth) int {
		return cmp.Or(slices.Index(Roles(), a.Role)-slices.Index(Roles(), b.Role), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// Ready reports whether all of them have joined. Before there are any it is false.
func (h *Health) Ready() bool {
	members := h.Members()
	return len(members) > 0 && !slices.ContainsFunc(members, func(m MemberHealth) bool { return !m.Joined })
}

// update changes what is known of a member, which is made if it is new. A nil Health
// knows nothing.
func (h *Health) update(role, name string, f func(*MemberHealth)) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.members[name]
	if m == nil {
		m = &MemberHealth{Role: role, Name: name}
		if h.members == nil {
			h.members = map[string]*MemberHealth{}
		}
		h.members[name] = m
	}
	f(m)
}
