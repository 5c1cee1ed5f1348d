package e2e

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
)

// nabLayout is how the data set writes times.
const nabLayout = "2006-01-02 15:04:05"

// reading is one row of the data set.
type reading struct {
	metric, timestamp, text string
	at                      time.Time
	value                   float64
}

// readings returns the AWS CloudWatch series of the Numenta Anomaly Benchmark, all
// files merged in the order of time.
func readings(t *testing.T) []reading {
	t.Helper()
	shared := cmp.Or(os.Getenv("FLYBALL_SHARED"), filepath.Join("..", "..", "..", "shared"))
	files, err := filepath.Glob(filepath.Join(shared, "data", "nab", "data", "realAWSCloudwatch", "*.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no realAWSCloudwatch series of the Numenta Anomaly Benchmark under %s: set FLYBALL_SHARED", shared)
	}
	var out []reading
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		if err := cmp.Or(err, f.Close()); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		name := filepath.Base(file)
		for _, row := range rows[1:] {
			at, err1 := time.Parse(nabLayout, row[0])
			value, err2 := strconv.ParseFloat(row[1], 64)
			if err := cmp.Or(err1, err2); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			out = append(out, reading{metric: name, timestamp: row[0], text: row[1], at: at, value: value})
		}
	}
	slices.SortStableFunc(out, func(a, b reading) int { return a.at.Compare(b.at) })
	return out
}

// record is the sample of a reading, with the number as the data set writes it.
func (r reading) record(topic string, partition int) *kgo.Record {
	text := fmt.Sprintf(`{"metric":%q,"timestamp":%q,"value":%s}`, r.metric, r.timestamp, r.text)
	return &kgo.Record{Topic: topic, Partition: int32(partition), Value: []byte(text)}
}

const nabConfig = `apiVersion: flyball.dev/v1
kind: Source
metadata: {name: cloudwatch}
spec:
  topics: [%q]
  format: json
  json:
    timestamp: timestamp
    timestampFormat: "2006-01-02 15:04:05"
    labels: {metric: metric}
    values: {value: {path: value}}
  outOfOrderness: 5s
  idleTimeout: 2s
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: readings}
spec: {source: cloudwatch, entity: metric, value: value, pane: 60s, window: 1h}
`

// hourKey is one window of one metric.
type hourKey struct {
	metric string
	start  int64
}

// hour is what is true about it.
type hour struct {
	count  int64
	sum    *big.Float
	lo, hi float64
}

func hours(list []reading) map[hourKey]hour {
	out := map[hourKey]hour{}
	for _, r := range list {
		k := hourKey{r.metric, r.at.Truncate(time.Hour).UnixNano()}
		h, ok := out[k]
		if !ok {
			h = hour{sum: new(big.Float).SetPrec(300), lo: math.Inf(1), hi: math.Inf(-1)}
		}
		h.count++
		h.sum.Add(h.sum, big.NewFloat(r.value))
		h.lo, h.hi = min(h.lo, r.value), max(h.hi, r.value)
		out[k] = h
	}
	return out
}

// Real series, one JSON sample per record, spread over partitions without keys:
// every hour of every metric is counted to the last sample. The hours that cannot
// be closed, because nothing says that time went on beyond them, stay open until
// something does.
func TestNABSeriesAreCountedExactly(t *testing.T) {
	t.Parallel()
	list := readings(t)
	b := newBroker(t)
	db := embeddedtest.ClickHouse(t)
	const partitions = 6
	topic := b.topic(t, "cloudwatch", partitions)
	var records []*kgo.Record
	for i, r := range list {
		records = append(records, r.record(topic, i%partitions))
	}
	b.produce(t, records...)
	p := run(t, b.settings(db.DSN()).write(t, fmt.Sprintf(nabConfig, topic)))

	want := hours(list)
	last := list[len(list)-1].at
	watermark := last.Add(-5 * time.Second).UnixNano() // all partitions idle: the newest sample less outOfOrderness
	closed := maps.Clone(want)
	maps.DeleteFunc(closed, func(k hourKey, _ hour) bool { return k.start+int64(time.Hour) > watermark })
	if len(closed) == len(want) {
		t.Fatal("no hour stays open, so that nothing is tested about those")
	}
	conn := db.Open(t)
	arrived := func(want int) func() string {
		return func() string {
			if n := count(t, conn, "SELECT count() FROM v_windows WHERE entity != 'closing'"); n != want {
				return fmt.Sprintf("%d windows of %d", n, want)
			}
			return ""
		}
	}
	await(t, patience, "the closed hours", arrived(len(closed)))
	checkHours(t, conn, closed)

	closer := reading{metric: "closing", timestamp: last.Add(3 * time.Hour).Format(nabLayout), text: "0"}
	b.produce(t, closer.record(topic, 0))
	await(t, patience, "the last hours", arrived(len(want)))
	p.stop()
	checkHours(t, conn, want)
	if dead := b.read(t, b.names().DeadLetters()); len(dead) > 0 {
		t.Errorf("%d dead letters, the first: %v", len(dead), dead[0].Headers)
	}
	for id := range decodeWindows(t, b.read(t, b.names().Windows())) {
		if id.Revision != 1 {
			t.Errorf("%+v is a correction of samples that came in order", id)
		}
	}
	t.Logf("%d samples of %d hours, of which %d stayed open", len(list), len(want), len(want)-len(closed))
}

// checkHours compares v_windows with what is true.
func checkHours(t *testing.T, conn driver.Conn, want map[hourKey]hour) {
	t.Helper()
	type row struct {
		hourKey
		labels         string
		samples, bad   int64
		sum, low, high *float64
	}
	got := query(t, conn, `SELECT entity, labels, toUnixTimestamp64Nano(window_start), samples, bad_samples, value_sum, value_min, value_max
		FROM v_windows WHERE entity != 'closing'`, func(rows driver.Rows) (row, error) {
		var r row
		err := rows.Scan(&r.metric, &r.labels, &r.start, &r.samples, &r.bad, &r.sum, &r.low, &r.high)
		return r, err
	})
	seen := map[hourKey]bool{}
	for _, r := range got {
		w, ok := want[r.hourKey]
		if !ok || seen[r.hourKey] {
			t.Errorf("%+v: unexpected, or there twice", r.hourKey)
			continue
		}
		seen[r.hourKey] = true
		sum, _ := w.sum.Float64()
		if r.samples != w.count || r.bad != 0 || math.Abs(*r.sum-sum) > math.Abs(sum)*1e-15 || *r.low != w.lo || *r.high != w.hi {
			t.Errorf("%+v: %d samples, %d bad, sum %v, from %v to %v; want %d, 0, %v, %v, %v",
				r.hourKey, r.samples, r.bad, *r.sum, *r.low, *r.high, w.count, sum, w.lo, w.hi)
		}
		var labels map[string]string
		if err := json.Unmarshal([]byte(r.labels), &labels); err != nil || labels["metric"] != r.metric {
			t.Errorf("labels %s of metric %q", r.labels, r.metric)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("%d hours, want %d", len(seen), len(want))
	}
}
