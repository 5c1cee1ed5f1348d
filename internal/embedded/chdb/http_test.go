package chdb

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// answer is what a test looks at of an HTTP answer.
type answer struct {
	status int
	body   string
	header http.Header
}

func send(t testing.TB, method, target string, body io.Reader, change func(*http.Request)) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, string(data), resp.Header}
}

func TestHTTPShape(t *testing.T) {
	s := startServer(t, nil)
	f := func(method, target, body string, wantStatus int, wantBody string) http.Header {
		t.Helper()
		got := send(t, method, s.URL()+target, strings.NewReader(body), nil)
		if got.status != wantStatus || got.body != wantBody {
			t.Errorf("%s %s %q: got %d %q, want %d %q", method, target, body, got.status, got.body, wantStatus, wantBody)
		}
		return got.header
	}
	f("GET", "/ping", "", 200, "Ok.\n")
	f("GET", "/", "", 200, "Ok.\n")
	header := f("GET", "/?query=SELECT+1", "", 200, "1\n")
	want := map[string]string{"X-Clickhouse-Format": "TabSeparated", "Content-Type": "text/tab-separated-values; charset=UTF-8", "X-Clickhouse-Timezone": "UTC"}
	for name, value := range want {
		if name != "X-Clickhouse-Timezone" && header.Get(name) != value || header.Get(name) == "" {
			t.Errorf("header %s is %q, want %q", name, header.Get(name), value)
		}
	}
	var sum map[string]string
	if err := json.Unmarshal([]byte(header.Get("X-ClickHouse-Summary")), &sum); err != nil || sum["result_rows"] != "1" {
		t.Errorf("summary %q: %v", header.Get("X-ClickHouse-Summary"), err)
	}
	f("POST", "/", "SELECT number, 'a\tb' FROM numbers(2)", 200, "0\ta\\tb\n1\ta\\tb\n")
	f("POST", "/", "SELECT 1 AS a FORMAT CSVWithNames", 200, "\"a\"\n1\n")
	f("POST", "/?default_format=JSONEachRow", "SELECT 1 AS a", 200, "{\"a\":1}\n")
	f("POST", "/?query=SELECT&param_x=7", "{x:UInt8} + 1", 200, "8\n")
	f("POST", "/?query=CREATE+DATABASE+shape", "", 200, "")
	f("POST", "/?database=shape", "CREATE TABLE t (a UInt32, b String) ENGINE = MergeTree ORDER BY a", 200, "")
	f("POST", "/?database=shape", "INSERT INTO t VALUES (1, 'one'), (1 + 1, 'two');", 200, "")
	f("POST", "/?database=shape&query=INSERT+INTO+t+FORMAT+JSONEachRow", `{"a":3,"b":"three"}`+"\n", 200, "")
	f("POST", "/?database=shape", "INSERT INTO t FORMAT CSV\n4,\"four\"\n5,five\n", 200, "")
	f("POST", "/?database=shape&query=INSERT+INTO+t+(a)+VALUES+(6)", ",(7)", 200, "")
	f("POST", "/?database=shape", "INSERT INTO t SELECT number + 8, 'n' FROM numbers(3)", 200, "")
	f("GET", "/?database=shape&query=SELECT+count(),sum(a)+FROM+t", "", 200, "10\t55\n")
	f("GET", "/?query=SELECT+count()+FROM+shape.t+FORMAT+TSV", "", 200, "10\n")
	f("GET", "/nowhere", "", 404, "There is no handle /nowhere\n\nUse / or /ping for health checks.\nSend queries from your program with POST method or GET /?query=...\n")
	if header := f("POST", "/?database=shape&query=INSERT+INTO+t+(a)+FORMAT+CSV", "100\n", 200, ""); !strings.Contains(header.Get("X-ClickHouse-Summary"), `"written_rows":"1"`) {
		t.Errorf("summary of an insert: %s", header.Get("X-ClickHouse-Summary"))
	}
}

func TestHTTPErrors(t *testing.T) {
	s := startServer(t, func(c *Config) { c.MaxStatementBytes, c.MaxBodyBytes = 1000, 2000 })
	f := func(method, target, body string, wantStatus int, wantCode, wantText string) {
		t.Helper()
		got := send(t, method, s.URL()+target, strings.NewReader(body), nil)
		if got.status != wantStatus || got.header.Get("X-ClickHouse-Exception-Code") != wantCode || !strings.Contains(got.body, wantText) {
			t.Errorf("%s %s: got %d code %s %q, want %d code %s with %q", method, target, got.status, got.header.Get("X-ClickHouse-Exception-Code"), got.body, wantStatus, wantCode, wantText)
		}
		if !strings.HasPrefix(got.body, "Code: "+wantCode+". DB::Exception: ") || !strings.Contains(got.body, "(version ") {
			t.Errorf("%s %s: %q is not in ClickHouse's form", method, target, got.body)
		}
	}
	f("POST", "/", "SELECT * FROM nope", 404, "60", "UNKNOWN_TABLE")
	f("POST", "/", "", 400, "62", "SYNTAX_ERROR")
	f("POST", "/?database=nope", "SELECT 1", 404, "81", "UNKNOWN_DATABASE")
	f("POST", "/?no_such=1", "SELECT 1", 404, "115", "UNKNOWN_SETTING")
	f("POST", "/?a%27%3B=1", "SELECT 1", 404, "115", "UNKNOWN_SETTING")
	f("POST", "/?max_threads=many", "SELECT 1", 400, "27", "")
	f("POST", "/", "SELECT 1 FORMAT Nope", 404, "73", "UNKNOWN_FORMAT")
	f("POST", "/?session_id=1", "SELECT 1", 501, "48", "session")
	f("POST", "/?client_protocol_version=x", "SELECT 1", 400, "36", "client_protocol_version")
	f("POST", "/", "SELECT {x:UInt8}", 400, "456", "x")
	f("POST", "/", "SELECT '"+strings.Repeat("x", 1000)+"'", 413, "307", "1000 bytes")
	// GET cannot write.
	f("GET", "/?query=CREATE+TABLE+r+(a+UInt8)+ENGINE=Memory", "", 500, "164", "READONLY")
	// A type that the Native decoder does not know is refused, not garbled.
	f("POST", "/?client_protocol_version=54460&default_format=Native", "SELECT quantilesDDState(0.01, 0.5)(1.5)", 501, "48", "AggregateFunction")

	if got := send(t, "POST", s.URL()+"/", strings.NewReader("CREATE TABLE e (a UInt8) ENGINE = Memory"), nil); got.status != 200 {
		t.Fatal(got.body)
	}
	const insert = "/?query=INSERT+INTO+e+FORMAT+CSV"
	f("POST", insert, strings.Repeat("1\n", 1001), 413, "307", "2000 bytes")
	f("POST", insert, "1\nx\n", 400, "117", "")
	f("GET", "/?query=INSERT+INTO+e+VALUES+(1)", "", 500, "164", "READONLY")
	if got := send(t, "GET", s.URL()+"/?query=SELECT+count()+FROM+e", nil, nil); got.body != "0\n" {
		t.Errorf("failed inserts left %s rows", got.body)
	}
}

func TestHTTPCompression(t *testing.T) {
	s := startServer(t, nil)
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	io.WriteString(w, "SELECT 1 + 1")
	w.Close()
	got := send(t, "POST", s.URL()+"/?enable_http_compression=1", &zipped, func(r *http.Request) {
		r.Header.Set("Content-Encoding", "gzip")
		r.Header.Set("Accept-Encoding", "gzip, deflate")
	})
	if got.status != 200 || got.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("got %d %v", got.status, got.header)
	}
	unzipped, err := gzip.NewReader(strings.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(unzipped); err != nil || string(text) != "2\n" {
		t.Errorf("got %q, %v", text, err)
	}
	got = send(t, "POST", s.URL()+"/", strings.NewReader("x"), func(r *http.Request) { r.Header.Set("Content-Encoding", "br") })
	if got.status != 501 {
		t.Errorf("an unknown encoding gave %d %s", got.status, got.body)
	}
}

func TestHTTPKeepsWebPagesOut(t *testing.T) {
	s := startServer(t, nil)
	f := func(want int, method string, change func(*http.Request)) {
		t.Helper()
		if got := send(t, method, s.URL()+"/?query=SELECT+1", nil, change); got.status != want {
			t.Errorf("got %d %q, want %d", got.status, got.body, want)
		}
	}
	f(200, "POST", func(r *http.Request) { r.Host = "localhost:9" })
	f(200, "POST", func(r *http.Request) { r.Host = "[::1]" })
	f(403, "GET", func(r *http.Request) { r.Host = "evil.example:80" })
	f(403, "POST", func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") })
	f(403, "POST", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	f(403, "GET", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	f(200, "GET", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") })
}

// TestHTTPCutBodyIsNotCommitted breaks the connection in the middle of an
// insert, once in plain and once in chunked transfer.
func TestHTTPCutBodyIsNotCommitted(t *testing.T) {
	s := startServer(t, nil)
	if got := send(t, "POST", s.URL()+"/", strings.NewReader("CREATE TABLE cut (a UInt64) ENGINE = MergeTree ORDER BY a"), nil); got.status != 200 {
		t.Fatal(got.body)
	}
	f := func(headers, body string) {
		t.Helper()
		conn, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /?query=%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n%s", url.QueryEscape("INSERT INTO cut FORMAT CSV"), headers, body)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(answer, []byte("200 OK")) {
			t.Errorf("got %q", answer)
		}
	}
	f("Content-Length: 100", "1\n2\n3\n")
	f("Transfer-Encoding: chunked", "6\r\n1\n2\n3\n\r\n")
	if got := send(t, "GET", s.URL()+"/?query=SELECT+count()+FROM+cut", nil, nil); got.body != "0\n" {
		t.Errorf("%s rows were committed", got.body)
	}
}

func TestHTTPLimitsStatementsAtOnce(t *testing.T) {
	s := startServer(t, func(c *Config) { c.MaxConcurrent, c.MaxWaiting = 2, 0 })
	f := func(want int) {
		t.Helper()
		if got := send(t, "GET", s.URL()+"/?query=SELECT+1", nil, nil); got.status != want {
			t.Errorf("got %d %q, want %d", got.status, got.body, want)
		}
	}
	first, err := s.admit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f(200) // one place is left
	second, err := s.admit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f(503)
	second()
	f(200)
	first()

	waiting := &Server{running: make(chan struct{}, 1), admitted: make(chan struct{}, 2)}
	release, err := waiting.admit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := waiting.admit(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that has gone got %v", err)
	}
	release()
	if len(waiting.running)+len(waiting.admitted) != 0 {
		t.Error("a place was not given back")
	}
}

// slowSQL runs for hours unless it is killed.
const slowSQL = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000000)"

func TestStatementsOfGoneClientsAreKilled(t *testing.T) {
	s := startServer(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", s.URL(), strings.NewReader(slowSQL))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(r)
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	waitRunning(s)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	// The place is free again only when the statement has ended.
	for range s.limits.MaxConcurrent {
		s.running <- struct{}{}
	}
	for range s.limits.MaxConcurrent {
		<-s.running
	}
}

// waitRunning blocks until a statement has got its turn.
func waitRunning(s *Server) {
	<-s.running
	s.running <- struct{}{}
}

func TestCloseFinishesRunningStatements(t *testing.T) {
	f := func(t *testing.T, grace time.Duration, sql string, wantStatus int, wantBody string) {
		s := startServer(t, func(c *Config) { c.GracePeriod = grace })
		done := make(chan answer, 1)
		go func() { done <- send(t, "POST", s.URL()+"/", strings.NewReader(sql), nil) }()
		waitRunning(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := <-done; got.status != wantStatus || !strings.HasPrefix(got.body, wantBody) {
			t.Errorf("got %d %q", got.status, got.body)
		}
		if _, err := net.Dial("tcp", s.Addr()); err == nil {
			t.Error("the port is still open")
		}
		if _, err := s.Engine().Query("SELECT 1", "CSV"); !errors.Is(err, ErrClosed) {
			t.Errorf("a statement after Close gave %v", err)
		}
	}
	t.Run("finished", func(t *testing.T) { f(t, time.Minute, "SELECT sleep(1), 'finished'", 200, "0\tfinished\n") })
	t.Run("killed", func(t *testing.T) { f(t, 50*time.Millisecond, slowSQL, 500, "Code: 394. ") })
}

// TestCloseDoesNotWaitForABodyWithoutEnd leaves an insert half sent.
func TestCloseDoesNotWaitForABodyWithoutEnd(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, func(c *Config) { c.GracePeriod, c.Dir = 0, dir })
	if got := send(t, "POST", s.URL(), strings.NewReader("CREATE TABLE half (a UInt64) ENGINE = MergeTree ORDER BY a"), nil); got.status != 200 {
		t.Fatal(got.body)
	}
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /?query=INSERT+INTO+half+FORMAT+CSV HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n1\n")
	waitRunning(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := openEngine(t, dir).Query("SELECT count() FROM half", "CSV"); err != nil || string(out) != "0\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestMaxResultBytes(t *testing.T) {
	s := startServer(t, func(c *Config) { c.MaxResultBytes = 1 << 20 })
	f := func(target string, want int) {
		t.Helper()
		got := send(t, "POST", s.URL()+target, strings.NewReader("SELECT number FROM numbers(1000000) FORMAT RowBinary"), nil)
		if got.status != want {
			t.Errorf("%s: got %d %q, want %d", target, got.status, got.body[:min(len(got.body), 300)], want)
		}
	}
	f("/", 500)
	f("/?max_result_bytes=10000000", 200)
}
