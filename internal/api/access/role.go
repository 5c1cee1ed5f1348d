// Package access says who may ask the HTTP API for what: bearer tokens with roles,
// sessions of browsers, anonymous access on the loopback interface, and limits on how
// often anybody may ask.
package access

import "slices"

// Role is what somebody may do. Each role may do what those before it may.
type Role string

// The roles.
const (
	// Viewer reads.
	Viewer Role = "viewer"
	// Deployer also starts and ends analyses of canaries: what deployment tools do.
	Deployer Role = "deployer"
	// Operator also controls automation.
	Operator Role = "operator"
)

// Roles returns all roles, that which may do least first.
func Roles() []Role { return []Role{Viewer, Deployer, Operator} }

// Allows reports whether the role may do what needs the other. No role may do nothing.
func (r Role) Allows(needed Role) bool {
	have, need := slices.Index(Roles(), r), slices.Index(Roles(), needed)
	return need >= 0 && have >= need
}

// Identity is who asks.
type Identity struct {
	// Name of the token, or AnonymousName. It is recorded with what somebody does.
	Name string `json:"name"`
	// Role is what they may do.
	Role Role `json:"role"`
}

// AnonymousName is the name of whoever asks without a token on the loopback interface.
const AnonymousName = "anonymous"
