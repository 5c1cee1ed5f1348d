package ui

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/flyball-io/flyball/internal/api"
	"github.com/flyball-io/flyball/internal/api/access"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/internal/ui/query"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

func options() Options {
	return Options{Config: &config.Config{}, Version: "v1", Roles: []string{"decide"}, StartedAt: time.Now(), Ready: func() bool { return true },
		Metrics: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler)}
}

func TestWithoutDatabaseItSaysWhatToDo(t *testing.T) {
	w := httptest.NewRecorder()
	New(options()).Handler(access.Open()).ServeHTTP(w, local("/ui/decisions"))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "dsn: clickhouse://") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if p := w.Header().Get("Content-Security-Policy"); !strings.Contains(p, "script-src 'self';") || strings.Contains(p, "unsafe") {
		t.Errorf("policy %q", p)
	}
}

// Templates hold no scripts, no styles and nothing from elsewhere: the policy would stop
// them, and only a browser would say so.
func TestTemplatesFitThePolicy(t *testing.T) {
	files, err := templates.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := templates.ReadFile("templates/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{" style=", " onclick=", "<style", "<script>", "javascript:", "hx-on", "src=\"http", "href=\"http"} {
			if strings.Contains(string(text), bad) {
				t.Errorf("%s has %q", f.Name(), bad)
			}
		}
	}
}

func TestOtherSitesCannotAct(t *testing.T) {
	r := httptest.NewRequest("POST", "/ui/control", strings.NewReader("kind=kill"))
	r.Host = "127.0.0.1"
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	(&api.Server{Pages: New(options()).Handler}).Handler().ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("got %d", w.Code)
	}
}

// Without a session browsers are sent to the form, which is open.
func TestWhoIsNotLetInCanLogIn(t *testing.T) {
	g, err := access.New(spec.HTTP{Tokens: []spec.AccessToken{{Name: "ann", Role: "viewer", Token: "0123456789abcdef"}}}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	h := New(options()).Handler(g)
	r := httptest.NewRequest("GET", "/ui/decisions?verb=act", nil)
	r.Header.Set("Accept", "text/html")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if at := w.Header().Get("Location"); w.Code != http.StatusSeeOther || at != "/ui/login?next=%2Fui%2Fdecisions%3Fverb%3Dact" {
		t.Errorf("sent to %q with %d", at, w.Code)
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/ui/login?next=/ui/decisions", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `name="next" value="/ui/decisions"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	r = httptest.NewRequest("GET", "/ui/", nil)
	r.Header.Set("Authorization", "Bearer 0123456789abcdef")
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Errorf("with a token: %d %s", w.Code, w.Body)
	}
}

func TestStaticFilesAreKeptByTheirVersion(t *testing.T) {
	f := func(path string, code int, cache string) {
		t.Helper()
		w := httptest.NewRecorder()
		New(options()).Handler(access.Open()).ServeHTTP(w, local(path))
		if w.Code != code || !strings.Contains(w.Header().Get("Cache-Control"), cache) {
			t.Errorf("%s: %d %q", path, w.Code, w.Header().Get("Cache-Control"))
		}
	}
	f("/ui/static/app.js?v="+assetVersion, 200, "immutable")
	f("/ui/static/app.js?v=older", 200, "no-cache")
	f("/ui/static/", 404, "")
	f("/ui/static/nothing.js", 404, "")
}

func TestHoldsFollowWhatPeopleSay(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	over, ahead := now.Add(-time.Minute), now.Add(time.Minute)
	f := func(name, want string, said ...query.Control) {
		t.Helper()
		var got []string
		for _, h := range holdsOf(said, now) {
			got = append(got, h.Kind+" "+h.Scope()+" "+h.Why)
		}
		if diff := cmp.Diff(want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	kill := query.Control{Kind: "kill", ScopeKind: "global", Why: "fire"}
	cart := query.Control{Kind: "pause", ScopeKind: "service", ScopeName: "cart", Why: "test"}
	other := query.Control{Kind: "pause", ScopeKind: "service", ScopeName: "cart", Why: "upgrade"}
	f("nothing", "")
	f("a kill", "kill everything fire", kill)
	f("said twice", "kill everything fire", kill, kill)
	f("lifted", "", kill, query.Control{Kind: "resume", ScopeKind: "global"})
	f("lifted elsewhere", "kill everything fire", kill, query.Control{Kind: "resume", ScopeKind: "service", ScopeName: "cart"})
	f("one of two", "pause service cart upgrade", cart, other, query.Control{Kind: "resume", ScopeKind: "service", ScopeName: "cart", Lifts: "test"})
	f("over", "", query.Control{Kind: "maintenance", ScopeKind: "global", Why: "x", Until: &over})
	f("going on", "maintenance everything x", query.Control{Kind: "maintenance", ScopeKind: "global", Why: "x", Until: &ahead})
	f("modes take each other's place", "mode everything b", query.Control{Kind: "mode", ScopeKind: "global", Mode: "observe", Why: "a"}, query.Control{Kind: "mode", ScopeKind: "global", Mode: "approve", Why: "b"})
	f("auto lifts modes", "", query.Control{Kind: "mode", ScopeKind: "global", Mode: "observe", Why: "a"}, query.Control{Kind: "mode", ScopeKind: "global", Mode: "auto", Why: "b"})
}

// local is a request of this machine.
func local(path string) *http.Request {
	r := httptest.NewRequest("GET", path, nil)
	r.Host = "127.0.0.1"
	return r
}
