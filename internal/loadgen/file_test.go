package loadgen

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

func TestFilesHoldWhatWasCounted(t *testing.T) {
	f := func(e shop.Encoding) {
		t.Helper()
		cfg := testConfig()
		cfg.Encoding, cfg.Dir, cfg.Shop.Duration = e, t.TempDir(), 5*time.Second
		result, err := Run(t.Context(), cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		// What a sink in memory gets is what the files must hold, in the same order.
		runner, err := NewRunner(cfg)
		if err != nil {
			t.Fatal(err)
		}
		sink := &memorySink{partitions: cfg.Partitions}
		if _, err := runner.Run(t.Context(), sink, nil); err != nil {
			t.Fatal(err)
		}
		want := make([][][]byte, cfg.Partitions)
		for i, record := range sink.records {
			want[sink.turns[i]] = append(want[sink.turns[i]], record)
		}
		got := make([][][]byte, cfg.Partitions)
		spans := 0
		for p := range got {
			got[p] = readFile(t, filepath.Join(cfg.Dir, FileName(cfg.Topic, p, e)), e)
			spans += len(decodeAll(t, e, got[p]))
			if !slices.EqualFunc(want[p], got[p], bytes.Equal) {
				t.Errorf("%s: the file of partition %d differs: %d records, want %d", e, p, len(got[p]), len(want[p]))
			}
		}
		if int64(spans) != result.Spans || spans == 0 {
			t.Errorf("%s: files hold %d spans, %d were counted", e, spans, result.Spans)
		}
	}
	f(shop.OTLPProto)
	f(shop.OTLPJSON)
}

func readFile(t *testing.T, name string, e shop.Encoding) [][]byte {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	next := NewFrameReader(file).Next
	if e == shop.OTLPJSON {
		next = NewLineReader(file).Next
	}
	var out [][]byte
	for {
		value, err := next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, bytes.Clone(value))
	}
}

func TestFrameReaderErrors(t *testing.T) {
	f := func(data []byte, frames int, check func(error) bool) {
		t.Helper()
		r := NewFrameReader(bytes.NewReader(data))
		n := 0
		for {
			if _, err := r.Next(); err != nil {
				if n != frames || !check(err) {
					t.Errorf("%d frames, then %v; want %d frames", n, err, frames)
				}
				return
			}
			n++
		}
	}
	ended := func(err error) bool { return err == io.EOF }
	cut := func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }
	two := AppendFrame(AppendFrame(nil, []byte("one")), nil)
	f(nil, 0, ended)
	f(two, 2, ended)
	f(two[:len(two)-1], 1, cut)
	f(two[:5], 0, cut)
	f(two[:4], 0, cut)
	f([]byte{0xff, 0xff, 0xff, 0xff, 1}, 0, func(err error) bool { return strings.Contains(err.Error(), "limit") })
	f([]byte{0x03, 0xff, 0xff, 0xff, 1}, 0, cut)
}

func FuzzFrameReader(f *testing.F) {
	f.Add(AppendFrame(AppendFrame(nil, []byte("one")), []byte("two")))
	f.Add([]byte{0, 0, 0, 9, 1})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewFrameReader(bytes.NewReader(data))
		var again []byte
		for {
			value, err := r.Next()
			if err != nil {
				if err == io.EOF && !bytes.Equal(again, data) {
					t.Errorf("%x was read as %x", data, again)
				}
				if !bytes.HasPrefix(data, again) {
					t.Errorf("%x was read as %x", data, again)
				}
				return
			}
			again = AppendFrame(again, value)
		}
	})
}

func TestTruthAsLines(t *testing.T) {
	result, _ := runToMemory(t, shop.OTLPProto)
	var out bytes.Buffer
	if n, err := result.Truth.WriteTo(&out); err != nil || n != int64(out.Len()) {
		t.Fatalf("wrote %d of %d bytes: %v", n, out.Len(), err)
	}
	got := map[TruthKey]Cell{}
	for line := range bytes.Lines(out.Bytes()) {
		var cell struct {
			TruthKey
			Cell
		}
		if err := json.Unmarshal(line, &cell); err != nil {
			t.Fatal(err)
		}
		got[cell.TruthKey] = cell.Cell
	}
	if diff := cmp.Diff(result.Truth.Sum(nil), got); diff != "" {
		t.Errorf("lines differ (-want +got):\n%s", diff)
	}
}

func TestRunWantsOneSink(t *testing.T) {
	cfg := testConfig()
	if _, err := Run(t.Context(), cfg, nil); err == nil {
		t.Error("ran into nowhere")
	}
	cfg.Dir, cfg.Kafka.Brokers = t.TempDir(), []string{"127.0.0.1:1"}
	if _, err := Run(t.Context(), cfg, nil); err == nil {
		t.Error("ran into two places")
	}
}

func TestConfigValidate(t *testing.T) {
	f := func(want string, change func(*Config)) {
		t.Helper()
		cfg := testConfig()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %q", err, want)
		}
	}
	f("rate", func(c *Config) { c.Shop.Rate = -1 })
	f("encoding", func(c *Config) { c.Encoding = "xml" })
	f("spans per record", func(c *Config) { c.BatchSpans = 0 })
	f("spans per record", func(c *Config) { c.Encoding, c.BatchSpans = shop.OTLPJSON, 501 })
	f("batch timeout", func(c *Config) { c.BatchTimeout = -1 })
	f("partitions", func(c *Config) { c.Partitions = 0 })
	f("topic", func(c *Config) { c.Topic = "../x" })
	f("window", func(c *Config) { c.TruthWindow = 0 })
	f("never end", func(c *Config) { c.Shop.Duration = 0 })
	f("compression", func(c *Config) { c.Kafka.Compression = "rar" })
	cfg := testConfig()
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
}
