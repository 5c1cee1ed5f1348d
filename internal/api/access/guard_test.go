package access

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball/internal/config/spec"
)

var (
	loopback = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
	anywhere = &net.TCPAddr{IP: net.IPv6zero, Port: 1}
	tokens   = spec.HTTP{RequestsPerSecond: 1000, Tokens: []spec.AccessToken{
		{Name: "grafana", Role: "viewer", Token: "v-0123456789abcdef"},
		{Name: "ci", Role: "deployer", Token: "d-0123456789abcdef"},
		{Name: "ann", Role: "operator", Token: "o-0123456789abcdef"},
	}}
)

func newGuard(t *testing.T, c spec.HTTP, addr net.Addr) *Guard {
	t.Helper()
	g, err := New(c, addr)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// asked asks for what needs a role, and returns the answer: who it was for.
func asked(g *Guard, role Role, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "http://127.0.0.1:8686/x", nil)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	g.Require(role, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := From(r.Context())
		fmt.Fprint(w, id.Name)
	})).ServeHTTP(w, r)
	return w
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func TestRoles(t *testing.T) {
	g := newGuard(t, tokens, anywhere)
	for i, token := range []string{"v-0123456789abcdef", "d-0123456789abcdef", "o-0123456789abcdef"} {
		for j, role := range Roles() {
			w := asked(g, role, bearer(token))
			if want := i >= j; (w.Code == 200) != want || !want && w.Code != 403 {
				t.Errorf("%s for %s: %d %s", token[:1], role, w.Code, w.Body)
			}
			if w.Code == 200 && w.Body.String() != tokens.Tokens[i].Name {
				t.Errorf("the request is said to be from %q", w.Body)
			}
		}
	}
	if asked(g, "", bearer("o-0123456789abcdef")).Code != 403 {
		t.Error("what needs an unknown role may be done")
	}
}

func TestCredentials(t *testing.T) {
	g := newGuard(t, tokens, anywhere)
	f := func(want int, change func(*http.Request)) {
		t.Helper()
		w := asked(g, Viewer, change)
		if w.Code != want {
			t.Errorf("%d %s, want %d", w.Code, w.Body, want)
		}
		if want == 401 && w.Header().Get("WWW-Authenticate") == "" || want != 200 && w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("headers are %v", w.Header())
		}
	}
	f(401, nil)
	f(200, bearer("v-0123456789abcdef"))
	f(200, func(r *http.Request) { r.Header.Set("Authorization", "bearer  v-0123456789abcdef") })
	f(200, func(r *http.Request) { r.SetBasicAuth("whoever", "v-0123456789abcdef") }) // as of https://x:TOKEN@host
	f(401, bearer("v-0123456789abcdeF"))
	f(401, bearer(""))
	f(401, func(r *http.Request) { r.Header.Set("Authorization", "v-0123456789abcdef") })
	f(401, func(r *http.Request) { r.URL.RawQuery = "token=v-0123456789abcdef" })
	f(401, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "x.1.y"}) })
	if asked(newGuard(t, tokens, loopback), Viewer, nil).Code != 401 {
		t.Error("with tokens somebody on this machine needs none")
	}
}

func TestAnonymous(t *testing.T) {
	open, locked := newGuard(t, spec.HTTP{}, loopback), newGuard(t, spec.HTTP{}, anywhere)
	if open.Locked() || !locked.Locked() || newGuard(t, tokens, anywhere).Locked() {
		t.Error("which listeners are locked")
	}
	f := func(g *Guard, want int, says string, change func(*http.Request)) {
		t.Helper()
		if w := asked(g, Operator, change); w.Code != want || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%d %s, want %d and %q", w.Code, w.Body, want, says)
		}
	}
	f(open, 200, AnonymousName, nil)
	f(open, 200, "", func(r *http.Request) { r.Host = "localhost:8686" })
	f(open, 200, "", func(r *http.Request) { r.Host = "[::1]:8686" })
	f(open, 200, "", func(r *http.Request) { r.Host = "[::1]" })
	f(open, 403, "not to \\\"evil.example\\\"", func(r *http.Request) { r.Host = "evil.example" }) // resolves to 127.0.0.1
	f(open, 403, "", func(r *http.Request) { r.Host = "localhost.evil.example:8686" })
	f(open, 403, "through a proxy", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "10.0.0.1") })
	f(locked, 403, "http.tokens", nil)
	f(locked, 403, "http.tokens", bearer("v-0123456789abcdef"))
	if _, err := New(spec.HTTP{Tokens: []spec.AccessToken{{Name: "x", Role: "admin", Token: "0123456789abcdef"}}}, loopback); err == nil {
		t.Error("an unknown role is taken")
	}
}

func TestLimits(t *testing.T) {
	c := tokens
	c.RequestsPerSecond = 2
	g := newGuard(t, c, anywhere)
	now := time.Unix(1000, 0)
	g.now = func() time.Time { return now }
	var reasons []string
	g.OnRefused(func(r string) { reasons = append(reasons, r) })
	for range 2 * burst {
		if w := asked(g, Viewer, bearer("v-0123456789abcdef")); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if w := asked(g, Viewer, bearer("v-0123456789abcdef")); w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if asked(g, Viewer, bearer("d-0123456789abcdef")).Code != 200 {
		t.Error("one token uses up what another may ask")
	}
	now = now.Add(time.Second)
	if asked(g, Viewer, bearer("v-0123456789abcdef")).Code != 200 {
		t.Error("after a second it may not ask again")
	}
	codes := map[int]int{}
	for range failuresAtOnce + 3 {
		codes[asked(g, Viewer, bearer("wrong")).Code]++
	}
	if codes[401] != failuresAtOnce || codes[429] != 3 {
		t.Errorf("wrong tokens are answered %v", codes)
	}
	if asked(g, Viewer, bearer("d-0123456789abcdef")).Code != 200 {
		t.Error("wrong tokens of an address shut out right ones")
	}
	if len(reasons) != 1+failuresAtOnce+3 || reasons[0] != "rate" || reasons[1] != "unauthenticated" || reasons[len(reasons)-1] != "too_many_failures" {
		t.Errorf("the reasons are %v", reasons)
	}
}

func TestFailuresAreBounded(t *testing.T) {
	f := newFailures()
	for range failuresAtOnce {
		f.allow("10.0.0.1:1")
	}
	if f.allow("10.0.0.1:2") || !f.allow("10.0.0.2:1") {
		t.Error("addresses are not told apart, or ports are")
	}
	for range failuresAtOnce {
		f.allow("[2001:db8::1]:1")
	}
	if f.allow("[2001:db8::2]:1") || !f.allow("[2001:db8:0:1::1]:1") {
		t.Error("networks of IPv6 are not told apart, or their addresses are")
	}
	for i := range 2 * failingAddresses {
		f.allow(fmt.Sprintf("11.%d.%d.1:1", i/256, i%256))
	}
	if len(f.byAddr) != failingAddresses || f.order.Len() != failingAddresses {
		t.Errorf("%d addresses are kept", len(f.byAddr))
	}
	f.allow("no address")
}

// session logs in and returns the cookie.
func session(t *testing.T, g *Guard, token, next string) (*http.Cookie, *http.Response) {
	t.Helper()
	r := httptest.NewRequest("POST", "http://flyball.example/login", strings.NewReader(url.Values{"token": {token}, "next": {next}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	g.Login(w, r)
	for _, c := range w.Result().Cookies() {
		return c, w.Result()
	}
	return nil, w.Result()
}

func TestSessions(t *testing.T) {
	g := newGuard(t, tokens, anywhere)
	now := time.Unix(1000, 0)
	g.now = func() time.Time { return now }
	c, resp := session(t, g, "o-0123456789abcdef", "/slos?x=1")
	if c == nil || resp.StatusCode != 303 || resp.Header.Get("Location") != "/slos?x=1" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.Path != "/" || strings.Contains(c.Value, "0123456789abcdef") {
		t.Errorf("the cookie is %+v", c)
	}
	with := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: sessionCookie, Value: value}) }
	}
	if w := asked(g, Operator, with(c.Value)); w.Code != 200 || w.Body.String() != "ann" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := asked(newGuard(t, tokens, loopback), Operator, with(c.Value)); w.Code != 401 {
		t.Error("a session of 1970 is still good") // another process of the same tokens, now
	}
	other := tokens
	other.Tokens = append([]spec.AccessToken(nil), tokens.Tokens...)
	other.Tokens[2].Token = "another-0123456789"
	rotated := newGuard(t, other, anywhere)
	rotated.now = g.now
	if asked(rotated, Viewer, with(c.Value)).Code != 401 {
		t.Error("a session outlives its token")
	}
	for i := range c.Value { // no bit of it may be changed
		forged := []byte(c.Value)
		forged[i] ^= 1
		if w := asked(g, Viewer, with(string(forged))); w.Code == 200 && w.Body.String() != "ann" || w.Code == 200 && i < strings.LastIndexByte(c.Value, '.') {
			t.Errorf("a forged session is taken: %s", forged)
		}
	}
	now, g.failures = now.Add(sessionLength), newFailures()
	if asked(g, Viewer, with(c.Value)).Code != 401 {
		t.Error("a session does not end")
	}
	if c, resp := session(t, g, "wrong", ""); c != nil || resp.StatusCode != 401 {
		t.Errorf("%d %v", resp.StatusCode, c)
	}
	for _, next := range []string{"", "//evil.example", "/\\evil.example", "https://evil.example", "/\tx", "x"} {
		if _, resp := session(t, g, "v-0123456789abcdef", next); resp.Header.Get("Location") != "/" {
			t.Errorf("next %q leads to %q", next, resp.Header.Get("Location"))
		}
	}
	if _, resp := session(t, newGuard(t, spec.HTTP{}, loopback), "x", ""); resp.StatusCode != 409 {
		t.Errorf("without tokens a login is answered %d", resp.StatusCode)
	}
}

func TestLoginWithJSONAndLogout(t *testing.T) {
	g := newGuard(t, tokens, anywhere)
	r := httptest.NewRequest("POST", "https://flyball.example/login", strings.NewReader(`{"token":"d-0123456789abcdef"}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	g.Login(w, r)
	var id Identity
	if err := json.NewDecoder(w.Body).Decode(&id); err != nil || id.Name != "ci" || id.Role != Deployer {
		t.Errorf("%d %+v %v", w.Code, id, err)
	}
	if c := w.Result().Cookies(); len(c) != 1 || !c[0].Secure {
		t.Errorf("cookies are %v", c)
	}
	w = httptest.NewRecorder()
	g.Logout(w, httptest.NewRequest("POST", "/logout", nil))
	if c := w.Result().Cookies(); len(c) != 1 || c[0].MaxAge != -1 || c[0].Value != "" {
		t.Errorf("cookies are %v", c)
	}
}

func TestBrowsersAreSentToTheLoginPage(t *testing.T) {
	g := newGuard(t, tokens, anywhere)
	g.LoginPage("/login")
	w := asked(g, Viewer, func(r *http.Request) { r.URL.RawQuery = "a=b&c"; r.Header.Set("Accept", "text/html,*/*") })
	if w.Code != 303 || w.Header().Get("Location") != "/login?next=%2Fx%3Fa%3Db%26c" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if asked(g, Viewer, nil).Code != 401 {
		t.Error("programs are sent to the login page, too")
	}
}

func TestSameOrigin(t *testing.T) {
	g := newGuard(t, tokens, anywhere)
	h := g.SameOrigin(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }))
	f := func(method string, want int, headers ...string) {
		t.Helper()
		r := httptest.NewRequest(method, "http://flyball.example/x", nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s %v: %d, want %d", method, headers, w.Code, want)
		}
	}
	f("POST", 200) // no browser
	f("POST", 200, "Sec-Fetch-Site", "same-origin")
	f("POST", 403, "Sec-Fetch-Site", "cross-site")
	f("POST", 403, "Sec-Fetch-Site", "same-site")
	f("POST", 403, "Origin", "http://evil.example")
	f("POST", 200, "Origin", "http://flyball.example")
	f("GET", 200, "Sec-Fetch-Site", "cross-site")
	f("DELETE", 403, "Origin", "null")
}
