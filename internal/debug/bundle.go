package debug

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/internal/status"
)

// part is one file of the archive.
type part struct {
	name string
	get  func(ctx context.Context) ([]byte, error)
}

// partTimeout bounds how long one part may take.
const partTimeout = 45 * time.Second

// archive writes all parts that can be had, and returns what could not.
func (o *options) archive(ctx context.Context, w io.Writer) (failed []string, err error) {
	zip := gzip.NewWriter(w)
	out := tar.NewWriter(zip)
	now := time.Now()
	add := func(name string, content []byte) error {
		if err := out.WriteHeader(&tar.Header{Name: "flyball-debug/" + name, Mode: 0o600, Size: int64(len(content)), ModTime: now}); err != nil {
			return err
		}
		_, err := out.Write(content)
		return err
	}
	for _, p := range o.parts() {
		content, err := p.timed(ctx, partTimeout+o.cpu)
		if err != nil {
			failed = append(failed, fmt.Sprintf("%s: %v", p.name, err))
		}
		if len(content) > 0 {
			if err := add(p.name, content); err != nil {
				return failed, err
			}
		}
	}
	if len(failed) > 0 {
		if err := add("errors.txt", []byte(strings.Join(failed, "\n")+"\n")); err != nil {
			return failed, err
		}
	}
	if err := out.Close(); err != nil {
		return failed, err
	}
	return failed, zip.Close()
}

// timed gets a part in a limited time. One that panics costs itself only.
func (p *part) timed(ctx context.Context, limit time.Duration) (content []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			content, err = nil, fmt.Errorf("BUG: %v", r)
		}
	}()
	return p.get(ctx)
}

// parts lists what is collected.
func (o *options) parts() []part {
	list := []part{
		{"version.json", o.build},
		{"config.yaml", o.config},
		{"lint.txt", o.lint},
		{"status.json", o.status},
		{"decisions.ndjson", o.latest},
		{"groups.json", o.groups},
		{"topics.json", o.topics},
		{"topic-settings.json", o.settings},
	}
	if o.api.URL != "" {
		list = append(list, part{"metrics.txt", o.fromAPI("/metrics")}, part{"readyz.txt", o.fromAPI("/readyz?verbose")},
			part{"process.json", o.fromAPI("/api/v1/status")}, part{"control.json", o.fromAPI("/api/v1/control")})
	}
	if o.admin != "" {
		list = append(list, part{"goroutine.txt", o.profile("goroutine?debug=2")}, part{"heap.pb.gz", o.profile("heap")})
		if o.cpu > 0 {
			list = append(list, part{"cpu.pb.gz", o.profile(fmt.Sprintf("profile?seconds=%d", max(1, int(o.cpu.Seconds()))))})
		}
	}
	return list
}

func indented(v any) ([]byte, error) { return json.MarshalIndent(v, "", "  ") }

// build says which program this is.
func (o *options) build(context.Context) ([]byte, error) {
	about := map[string]any{"version": o.version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH, "collected_at": time.Now().UTC()}
	if info, ok := debug.ReadBuildInfo(); ok {
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		modules := []string{}
		for _, m := range info.Deps {
			modules = append(modules, m.Path+" "+m.Version)
		}
		about["build"], about["modules"] = settings, modules
	}
	return indented(about)
}

// config is the configuration with all defaults; secrets are blanked out by its types.
func (o *options) config(context.Context) ([]byte, error) {
	cfg, err := config.Load(o.dir)
	if err != nil {
		return nil, err
	}
	return config.Marshal(cfg)
}

func (o *options) lint(context.Context) ([]byte, error) {
	var b bytes.Buffer
	for _, p := range config.Lint(o.dir) {
		fmt.Fprintf(&b, "%s:%d:%d: %v %s: %s [%s]\n", p.File, p.Line, p.Col, p.Severity, p.Path, p.Message, p.Code) // without the line itself
	}
	if b.Len() == 0 {
		b.WriteString("nothing found\n")
	}
	return b.Bytes(), nil
}

// ask asks Kafka, and where that does not answer, the process.
func (o *options) ask(ctx context.Context, shown int) (*status.Status, error) {
	l := status.Limits{Delay: 5 * time.Minute, Shown: shown}
	s, err := status.Ask(ctx, &status.API{}, o.dir, l)
	if err != nil && o.api.URL != "" {
		return status.FromAPI(ctx, &o.api, l)
	}
	return s, err
}

func (o *options) status(ctx context.Context) ([]byte, error) {
	s, err := o.ask(ctx, 50)
	if err != nil {
		return nil, err
	}
	return indented(s)
}

func (o *options) latest(ctx context.Context) ([]byte, error) {
	s, err := o.ask(ctx, o.decisions)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	for i := range s.Decisions {
		if err := out.Encode(&s.Decisions[i]); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// withAdmin opens a client of the brokers.
func (o *options) withAdmin(do func(*config.Config, *kadm.Client) (any, error)) ([]byte, error) {
	cfg, err := config.Load(o.dir)
	if err != nil {
		return nil, err
	}
	cl, err := connect.Client(cfg, cfg.Pipeline.Kafka.ClientID+"-debug")
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	v, err := do(cfg, kadm.NewClient(cl))
	if err != nil {
		return nil, err
	}
	return indented(v)
}

// place is how far a group is in a partition.
type place struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Member    string `json:"member,omitempty"`
	Committed int64  `json:"committed"`
	Metadata  string `json:"metadata,omitempty"`
	Start     int64  `json:"start"`
	End       int64  `json:"end"`
	Error     string `json:"error,omitempty"`
}

// group is a consumer group.
type group struct {
	Group   string  `json:"group"`
	State   string  `json:"state"`
	Members int     `json:"members"`
	Places  []place `json:"partitions"`
	Error   string  `json:"error,omitempty"`
}

func (o *options) groups(ctx context.Context) ([]byte, error) {
	return o.withAdmin(func(cfg *config.Config, admin *kadm.Client) (any, error) {
		lags, err := admin.Lag(ctx, status.Groups(cfg)...)
		if err != nil {
			return nil, fmt.Errorf("cannot ask for consumer groups: %w", err)
		}
		out := []group{}
		for _, l := range lags.Sorted() {
			g := group{Group: l.Group, State: l.State, Members: len(l.Members), Places: []place{}}
			if err := l.Error(); err != nil {
				g.Error = err.Error()
			}
			for _, p := range l.Lag.Sorted() {
				x := place{Topic: p.Topic, Partition: p.Partition, Committed: p.Commit.At, Metadata: p.Commit.Metadata, Start: p.Start.Offset, End: p.End.Offset}
				if p.Member != nil {
					x.Member = p.Member.ClientID
				}
				if p.Err != nil {
					x.Error = p.Err.Error()
				}
				g.Places = append(g.Places, x)
			}
			out = append(out, g)
		}
		return out, nil
	})
}

func (o *options) topics(ctx context.Context) ([]byte, error) {
	cfg, err := config.Load(o.dir)
	if err != nil {
		return nil, err
	}
	list, err := connect.InspectTopics(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return indented(list)
}

// settings are those of our topics and of the sources', without what brokers call
// sensitive.
func (o *options) settings(ctx context.Context) ([]byte, error) {
	return o.withAdmin(func(cfg *config.Config, admin *kadm.Client) (any, error) {
		list, err := connect.InspectTopics(ctx, cfg)
		if err != nil {
			return nil, err
		}
		var names []string
		for _, t := range list {
			names = append(names, t.Name)
		}
		for _, s := range cfg.Sources {
			names = append(names, s.Topics...)
		}
		slices.Sort(names)
		configs, err := admin.DescribeTopicConfigs(ctx, slices.Compact(names)...)
		if err != nil {
			return nil, fmt.Errorf("cannot ask for the settings of topics: %w", err)
		}
		out := map[string]map[string]string{}
		for _, c := range configs {
			out[c.Name] = map[string]string{}
			if c.Err != nil {
				out[c.Name]["error"] = c.Err.Error()
			}
			for _, v := range c.Configs {
				if !v.Sensitive {
					out[c.Name][v.Key] = v.MaybeValue()
				}
			}
		}
		return out, nil
	})
}

func (o *options) fromAPI(path string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) { return answer(ctx, &o.api, path) }
}

func (o *options) profile(path string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		return answer(ctx, &status.API{URL: o.admin}, "/debug/pprof/"+path)
	}
}

// answer returns an answer, also one that is an error: what it says helps too.
func answer(ctx context.Context, api *status.API, path string) ([]byte, error) {
	text, code, err := api.Get(ctx, path)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("%s answers %d", path, code)
	}
	return text, err
}
