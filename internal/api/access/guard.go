package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/flyball-io/flyball/internal/api/problem"
	"github.com/flyball-io/flyball/internal/config/spec"
)

// Guard decides who may do what. It is safe for concurrent use.
type Guard struct {
	tokens []token
	// open is set where there are no tokens and only this machine can connect.
	open      bool
	anonymous *rate.Limiter
	failures  *failures
	crossing  *http.CrossOriginProtection
	loginPage string
	refused   func(reason string)
	now       func() time.Time
}

// token is what is kept of one: not the token itself.
type token struct {
	Identity
	hash    [sha256.Size]byte
	limiter *rate.Limiter
}

// New returns the guard of a listener at addr.
//
// Without tokens everybody is an operator when only this machine can connect to addr.
// Else nobody may do anything, see [Guard.Locked]: the process still does its work, and
// answers what needs no role.
func New(c spec.HTTP, addr net.Addr) (*Guard, error) {
	perSecond := c.RequestsPerSecond
	if perSecond <= 0 {
		perSecond = defaultPerSecond
	}
	limiter := func() *rate.Limiter { return rate.NewLimiter(rate.Limit(perSecond), burst*perSecond) }
	g := &Guard{open: len(c.Tokens) == 0 && isLoopback(addr), anonymous: limiter(), failures: newFailures(),
		crossing: http.NewCrossOriginProtection(), refused: func(string) {}, now: time.Now}
	for _, t := range c.Tokens {
		role := Role(t.Role)
		if !slices.Contains(Roles(), role) || t.Name == "" || t.Token == "" {
			return nil, fmt.Errorf("cannot use token %q of http.tokens: it needs a name, a token, and a role of %v", t.Name, Roles())
		}
		g.tokens = append(g.tokens, token{Identity{t.Name, role}, sha256.Sum256([]byte(t.Token)), limiter()})
	}
	return g, nil
}

// Open returns the guard of a listener that only this machine can connect to, without
// tokens.
func Open() *Guard {
	g, err := New(spec.HTTP{}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return g
}

// Locked reports whether nobody may do anything, because there are no tokens and
// others than this machine can connect.
func (g *Guard) Locked() bool { return len(g.tokens) == 0 && !g.open }

// NeedsLogin reports whether there are tokens, so that browsers need a session.
func (g *Guard) NeedsLogin() bool { return len(g.tokens) > 0 }

// LoginPage sets the path of a page with a form for POST /login. Browsers without a
// session are sent there, with the query parameter next.
func (g *Guard) LoginPage(path string) { g.loginPage = path }

// OnRefused sets what is told the reason of every refusal.
func (g *Guard) OnRefused(f func(reason string)) { g.refused = f }

// isLoopback reports whether only this machine can connect to an address.
func isLoopback(addr net.Addr) bool {
	switch a := addr.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}

type identityKey struct{}

// From returns who asks, in handlers below [Guard.Require].
func From(ctx context.Context) (Identity, bool) {
	id, ok := ctx.Value(identityKey{}).(Identity)
	return id, ok
}

// refusal is why a request is not answered.
type refusal struct {
	reason       string // of the metric
	status       int
	detail, hint string
}

// Identify returns who asks: by a bearer token, by a token as the password of basic
// authentication, by the cookie of a session, or anonymously from this machine. A
// request may say nothing; ok is false then, and when what it says is wrong.
func (g *Guard) Identify(r *http.Request) (id Identity, ok bool) {
	id, _, no := g.identify(r)
	return id, no == nil
}

func (g *Guard) identify(r *http.Request) (Identity, *rate.Limiter, *refusal) {
	if g.Locked() {
		return Identity{}, nil, &refusal{"locked", http.StatusForbidden, "nobody may use this API: it has no tokens, and others than this machine can reach it",
			"add http.tokens to the kind Pipeline, or listen on 127.0.0.1; see docs/api.md"}
	}
	if g.open {
		if no := foreign(r); no != nil {
			return Identity{}, nil, no
		}
		return Identity{AnonymousName, Operator}, g.anonymous, nil
	}
	if secret, given := credential(r); given {
		if t := g.find(secret); t != nil {
			return t.Identity, t.limiter, nil
		}
		return Identity{}, nil, g.failed(r, "the token is none of those configured")
	}
	if c, err := r.Cookie(sessionCookie); err == nil {
		if t := g.session(c.Value); t != nil {
			return t.Identity, t.limiter, nil
		}
		return Identity{}, nil, g.failed(r, "the session is over, or not one of this server")
	}
	return Identity{}, nil, &refusal{"unauthenticated", http.StatusUnauthorized, "the request has no token", "send the header Authorization: Bearer TOKEN"}
}

// foreign refuses requests to an open listener that come from elsewhere: through a
// proxy, or from a page whose name was made to resolve to this machine.
func foreign(r *http.Request) *refusal {
	const hint = "configure http.tokens to be reached by others"
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip"} {
		if r.Header.Get(h) != "" {
			return &refusal{"foreign", http.StatusForbidden, "without tokens this server answers its own machine only; the request came through a proxy (" + h + ")", hint}
		}
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	if ip.IsLoopback() || strings.EqualFold(host, "localhost") || ip == nil && host == "" {
		return nil
	}
	return &refusal{"foreign", http.StatusForbidden, fmt.Sprintf("without tokens this server answers to 127.0.0.1, [::1] and localhost only, not to %q", host), hint}
}

// credential returns the token that the header names. Basic authentication is for
// tools that can only put it into an address, such as Flagger's webhooks.
func credential(r *http.Request) (secret string, given bool) {
	if _, password, ok := r.BasicAuth(); ok {
		return password, true
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", false
	}
	kind, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(kind, "Bearer") {
		return "", true
	}
	return strings.TrimSpace(secret), true
}

// find compares with every token in the same time, whichever it is.
func (g *Guard) find(secret string) *token {
	hash := sha256.Sum256([]byte(secret))
	var found *token
	for i := range g.tokens {
		if subtle.ConstantTimeCompare(hash[:], g.tokens[i].hash[:]) == 1 {
			found = &g.tokens[i]
		}
	}
	return found
}

func (g *Guard) failed(r *http.Request, detail string) *refusal {
	if !g.failures.allow(r.RemoteAddr) {
		return &refusal{"too_many_failures", http.StatusTooManyRequests, "too many wrong tokens came from this address", "wait a minute"}
	}
	return &refusal{"unauthenticated", http.StatusUnauthorized, detail, "send the header Authorization: Bearer TOKEN"}
}

// Require lets those through who may do what needs the role, and not too often; [From]
// tells who they are.
func (g *Guard) Require(role Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, limiter, no := g.identify(r)
		switch {
		case no != nil:
		case !limiter.AllowN(g.now(), 1):
			no = &refusal{"rate", http.StatusTooManyRequests, fmt.Sprintf("%q asks too often", id.Name), "ask less often, or raise http.requestsPerSecond"}
		case !id.Role.Allows(role):
			no = &refusal{"forbidden", http.StatusForbidden, fmt.Sprintf("this needs the role %s; %q has %s", role, id.Name, id.Role), ""}
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), identityKey{}, id)))
			return
		}
		g.refuse(w, r, no)
	})
}

func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, no *refusal) {
	g.refused(no.reason)
	if no.status == http.StatusUnauthorized {
		if g.loginPage != "" && r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
			http.Redirect(w, r, g.loginPage+"?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="flyball"`)
	}
	if no.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	problem.Write(w, r, no.status, no.detail, no.hint)
}

// SameOrigin refuses what a page of another origin makes a browser send, unless it only
// reads.
func (g *Guard) SameOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := g.crossing.Check(r); err != nil {
			g.refuse(w, r, &refusal{"cross_origin", http.StatusForbidden, "the request comes from a page of another origin", ""})
			return
		}
		next.ServeHTTP(w, r)
	})
}
