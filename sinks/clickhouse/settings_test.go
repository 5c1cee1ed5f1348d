package clickhouse

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball/processors"
)

// What an insert tells the server, as seen between client and server. Its own
// default for async_insert would break tokens, but the embedded engine never
// inserts asynchronously, so that only the request shows it.
func TestWhatAnInsertSays(t *testing.T) {
	db := migrated(t)
	target, err := url.Parse("http://" + db.opts.Addr[0])
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var inserts []url.Values
	proxy := httputil.NewSingleHostReverseProxy(target)
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if q := r.URL.Query(); strings.HasPrefix(q.Get("query"), "INSERT") {
			inserts = append(inserts, q)
		}
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	defer between.Close()
	through, err := Open(Config{DSN: between.URL + "/" + db.Name() + "?async_insert=1"})
	if err != nil {
		t.Fatal(err)
	}
	defer through.Close()
	rec := windowsOf(t, processors.WindowRow{Indicator: "i", Start: at(0), End: at(10)})
	w := through.Writer()
	put(t, w, TableWindows, rec, "flyball.windows:0:5-5")
	put(t, w, TableWindows, rec, "")
	mu.Lock()
	defer mu.Unlock()
	if len(inserts) != 2 {
		t.Fatalf("%d inserts", len(inserts))
	}
	first, second := inserts[0], inserts[1]
	want := map[string]string{"async_insert": "0", "insert_deduplication_token": "flyball.windows:0:5-5", "max_partitions_per_insert_block": "0"}
	for name, value := range want {
		if got := first.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	if second.Has("insert_deduplication_token") {
		t.Error("an insert without a token has one")
	}
	columns := "INSERT INTO `" + db.Name() + "`.`windows` (`indicator`, `entity`, `labels`, `start`, `end`, `revision`, `count`, `bad`, `rate`, `error_ratio`, " +
		"`sum`, `min`, `max`, `p50`, `p90`, `p95`, `p99`, `hist`, `complete`) FORMAT Native"
	if diff := cmp.Diff(columns, first.Get("query")); diff != "" {
		t.Error(diff)
	}
}
