package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/docs"
	"github.com/flyball-io/flyball/internal/api/access"
	"github.com/flyball-io/flyball/internal/api/problem"
)

// documented returns the document as it is, in Go's words.
func documented(t *testing.T) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(docs.OpenAPI, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// closed allows no members that a schema does not name: what is served must be documented.
func closed(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, x := range v {
			closed(x)
		}
		if _, named := v["properties"].(map[string]any); named && v["type"] == "object" && v["additionalProperties"] == nil {
			v["additionalProperties"] = false
		}
	case []any:
		for _, x := range v {
			closed(x)
		}
	}
}

// contract is the document with schemas that are closed, for validation.
type contract struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	paths    *http.ServeMux // of the document
}

var theContract = sync.OnceValues(func() (*contract, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(docs.OpenAPI))
	if err != nil {
		return nil, err
	}
	closed(doc.(map[string]any)["components"])
	c := &contract{compiler: jsonschema.NewCompiler(), paths: http.NewServeMux()}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource("openapi.json", doc); err != nil {
		return nil, err
	}
	for path, methods := range doc.(map[string]any)["paths"].(map[string]any) {
		for method := range methods.(map[string]any) {
			c.paths.HandleFunc(strings.ToUpper(method)+" "+path, func(http.ResponseWriter, *http.Request) {})
		}
	}
	return c, nil
})

// validate compares an answer with what the document says of its operation and status.
func (c *contract) validate(r *http.Request, w *httptest.ResponseRecorder) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, pattern := c.paths.Handler(r)
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		return errors.New("its path is not documented")
	}
	token := func(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }
	at := "openapi.json#/paths/" + token(path) + "/" + strings.ToLower(method) + "/responses/" + strconv.Itoa(w.Code) + "/content/application~1json/schema"
	want := "application/json"
	if w.Code >= 400 {
		at, want = "openapi.json#/components/schemas/Problem", problem.ContentType
	}
	if got := w.Header().Get("Content-Type"); got != want {
		return fmt.Errorf("its type is %q, want %q", got, want)
	}
	schema, err := c.compiler.Compile(at)
	if err != nil {
		return err
	}
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		return err
	}
	return schema.Validate(body)
}

// holds compares an answer with the document.
func holds(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	if !isAPI(r) {
		return
	}
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.validate(r, w); err != nil {
		t.Errorf("%s %s answers %d with what is not documented: %v\n%s", r.Method, r.URL, w.Code, err, w.Body)
	}
}

// TestContractCanFail: what is not documented is found.
func TestContractCanFail(t *testing.T) {
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	f := func(path string, code int, kind, body string) {
		t.Helper()
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(code)
		fmt.Fprint(w, body)
		if c.validate(httptest.NewRequest("GET", "http://127.0.0.1"+path, nil), w) == nil {
			t.Errorf("%s: %d %s is taken", path, code, body)
		}
	}
	f("/api/v1/session", 200, "application/json", `{"name":"x","role":"viewer","more":1}`)
	f("/api/v1/session", 200, "application/json", `{"name":"x"}`)
	f("/api/v1/session", 200, "application/json", `{"name":"x","role":"king"}`)
	f("/api/v1/session", 200, "text/plain", `{"name":"x","role":"viewer"}`)
	f("/api/v1/session", 201, "application/json", `{"name":"x","role":"viewer"}`)
	f("/api/v1/none", 200, "application/json", `{}`)
	f("/api/v1/findings", 200, "application/json", `{"items":[{"id":"x"}],"next":null}`)
	f("/api/v1/findings", 400, "application/json", `{"error":"x"}`)
}

// TestDocumentIsWhole: everything that it refers to is there, operations have names of
// their own, and the parameters that their paths need.
func TestDocumentIsWhole(t *testing.T) {
	doc := documented(t)
	if doc["openapi"] != "3.1.0" {
		t.Errorf("it is of version %v", doc["openapi"])
	}
	var refs func(v any)
	refs = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if to, ok := v["$ref"].(string); ok {
				at := any(doc)
				for _, name := range strings.Split(strings.TrimPrefix(to, "#/"), "/") {
					at, _ = at.(map[string]any)[name]
				}
				if at == nil {
					t.Errorf("%s is not there", to)
				}
			}
			for _, x := range v {
				refs(x)
			}
		case []any:
			for _, x := range v {
				refs(x)
			}
		}
	}
	refs(doc)
	names := map[any]bool{}
	for path, methods := range doc["paths"].(map[string]any) {
		for method, op := range methods.(map[string]any) {
			op := op.(map[string]any)
			if names[op["operationId"]] || op["operationId"] == nil || op["summary"] == nil || op["responses"] == nil {
				t.Errorf("%s %s has no name of its own, no summary or no responses", method, path)
			}
			names[op["operationId"]] = true
			text, err := json.Marshal(op["parameters"])
			if err != nil || strings.Contains(path, "{id}") != strings.Contains(string(text), `"in":"path","name":"id","required":true`) {
				t.Errorf("%s %s: parameters of the path are %s", method, path, text)
			}
		}
	}
	_, h := reading(t, 0)
	if w := ask(h, "GET", "/api/v1/openapi.json", ""); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), docs.OpenAPI) || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// whole returns a server with every route.
func whole(t *testing.T) (*Server, *router) {
	t.Helper()
	s, _ := reading(t, 3)
	shelf, _ := newShelf(verdictOf("a", "cart", "2", "fail", flyball.PhaseEnded, 0))
	s.Analyses, s.Canaries = shelf, []flyball.Canary{{Name: "release"}}
	s.Control = func(_ context.Context, c *flyball.Control) error { c.ID = "k"; return nil }
	return s, s.handler(access.Open()).(*router)
}

// TestDocumentHasTheRoutes: all that are served, with their roles, and no others. What
// Kayenta and Flagger say is documented by them.
func TestDocumentHasTheRoutes(t *testing.T) {
	_, m := whole(t)
	served := map[string]string{}
	for _, p := range m.patterns {
		if !strings.Contains(p, " /kayenta/") && !strings.Contains(p, " /flagger/") {
			served[p] = string(m.roles[p])
		}
	}
	written := map[string]string{}
	for path, methods := range documented(t)["paths"].(map[string]any) {
		for method, op := range methods.(map[string]any) {
			role, _ := op.(map[string]any)["x-flyball-role"].(string)
			written[strings.ToUpper(method)+" "+path] = role
		}
	}
	if diff := cmp.Diff(served, written); diff != "" {
		t.Errorf("(-served +documented):\n%s", diff)
	}
}

// TestAnswersAreDocumented asks every operation of the document for an answer that is no
// error; that of windows, which needs a database, is in TestHistory.
func TestAnswersAreDocumented(t *testing.T) {
	_, m := whole(t)
	asked := map[string]bool{"get /api/v1/windows": true, "post /login": true, "post /logout": true, "get /metrics": true, "get /healthz": true, "get /readyz": true}
	f := func(method, template, path, body string, code int) {
		t.Helper()
		asked[strings.ToLower(method)+" "+template] = true
		if w := ask(m, method, path, body); w.Code != code {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		} else {
			holds(t, httptest.NewRequest(method, "http://127.0.0.1:8686"+path, nil), w)
		}
	}
	const v1 = "/api/v1"
	for _, path := range []string{"/openapi.json", "/session", "/status", "/slos", "/findings", "/decisions", "/commands", "/control", "/canaries"} {
		f("GET", v1+path, v1+path, "", 200)
	}
	f("GET", v1+"/findings/{id}", v1+"/findings/f-1", "", 200)
	f("GET", v1+"/explain/{id}", v1+"/explain/o-1", "", 200)
	f("GET", v1+"/explain/{id}", v1+"/explain/f-2", "", 200)
	f("GET", v1+"/verdicts/{id}", v1+"/verdicts/a?history=true", "", 200)
	f("GET", v1+"/canaries/{id}", v1+"/canaries/a", "", 200)
	f("POST", v1+"/canaries", v1+"/canaries", `{"canary":"release","entity":"cart","id":"run"}`, 202)
	f("GET", v1+"/verdicts/{id}", v1+"/verdicts/run", "", 200) // it has not begun
	f("POST", v1+"/canaries/{id}/cancel", v1+"/canaries/a/cancel", "", 202)
	f("DELETE", v1+"/canaries/{id}", v1+"/canaries/a", "", 202)
	f("POST", v1+"/cdevents", v1+"/cdevents", `{"context":{"id":"e","type":"dev.cdevents.service.deployed.0.1.0"},"subject":{"id":"cart"}}`, 202)
	f("POST", v1+"/control", v1+"/control", `{"kind":"pause","why":"x","scope":{"kind":"service","name":"cart"},"for":"1h"}`, 202)
	f("GET", v1+"/windows", v1+"/windows", "", 503)
	f("GET", v1+"/findings", v1+"/findings?limit=x", "", 400)
	f("GET", v1+"/findings/{id}", v1+"/findings/none", "", 404)
	for path, methods := range documented(t)["paths"].(map[string]any) {
		for method := range methods.(map[string]any) {
			if !asked[method+" "+path] {
				t.Errorf("%s %s was not asked", method, path)
			}
		}
	}
}

// TestParametersAreDocumented: each that is documented is known, and each that is known
// documented.
func TestParametersAreDocumented(t *testing.T) {
	_, m := whole(t)
	doc := documented(t)
	shared := doc["components"].(map[string]any)["parameters"].(map[string]any)
	for _, path := range []string{"slos", "findings", "decisions", "commands", "windows"} {
		var names []string
		for _, p := range doc["paths"].(map[string]any)["/api/v1/"+path].(map[string]any)["get"].(map[string]any)["parameters"].([]any) {
			p := p.(map[string]any)
			if to, ok := p["$ref"].(string); ok {
				p = shared[filepath.Base(to)].(map[string]any)
			}
			names = append(names, p["name"].(string))
		}
		w := ask(m, "GET", "/api/v1/"+path+"?nonsense=1", "")
		_, list, _ := strings.Cut(w.Body.String(), "there are [")
		list, _, _ = strings.Cut(list, "]")
		known := strings.Split(strings.ReplaceAll(list, `\"`, ""), " ")
		slices.Sort(names)
		slices.Sort(known)
		if !slices.Equal(names, known) {
			t.Errorf("%s: documented %q, known %q", path, names, known)
		}
	}
}

// TestSchemasOfEvents: what the API gives of events has the members that events have.
func TestSchemasOfEvents(t *testing.T) {
	schemas := documented(t)["components"].(map[string]any)["schemas"].(map[string]any)
	own := map[string][]string{"Finding": nil, "Decision": nil, "Command": {"id", "at", "decision", "state", "outcomes"}, "Outcome": {"id", "class", "at"}, "VerdictRevision": nil, "Verdict": {"status", "message", "history"}}
	for name, more := range own {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", "schema", strings.ToLower(strings.TrimSuffix(name, "Revision"))+".v1.json"))
		if err != nil {
			t.Fatal(err)
		}
		var event map[string]any
		if err := json.Unmarshal(text, &event); err != nil {
			t.Fatal(err)
		}
		want := append(slices.Sorted(maps.Keys(event["properties"].(map[string]any))), more...)
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(schemas[name].(map[string]any)["properties"].(map[string]any))); !slices.Equal(got, want) {
			t.Errorf("%s has %q, the event %q", name, got, want)
		}
	}
	var kinds []string
	for _, k := range flyball.ControlKinds() {
		kinds = append(kinds, string(k))
	}
	if got := fmt.Sprint(schemas["ControlRequest"].(map[string]any)["properties"].(map[string]any)["kind"].(map[string]any)["enum"]); got != fmt.Sprint(kinds) {
		t.Errorf("kinds of controls are %v, want %v", got, kinds)
	}
}
