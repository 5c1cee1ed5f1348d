package status

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/flyball-io/flyball"
)

// API is a running process.
type API struct {
	// URL such as http://127.0.0.1:8686, and Token to show it.
	URL, Token string
	// HTTP makes the requests.
	HTTP *http.Client
}

// maxAnswer bounds an answer.
const maxAnswer = 64 << 20

// Get asks for a path and returns the answer and its code.
func (a *API) Get(ctx context.Context, path string) ([]byte, int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(a.URL, "/")+path, nil)
	if err != nil {
		return nil, 0, fmt.Errorf("cannot ask %q: %w", a.URL, err)
	}
	if a.Token != "" {
		req.Header.Set("Authorization", "Bearer "+a.Token)
	}
	client := a.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, 0, fmt.Errorf("cannot ask %s: %w", a.URL, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, 0, fmt.Errorf("cannot read the answer of %s: %w", a.URL, err)
	}
	return text, resp.StatusCode, nil
}

// read asks for a path and decodes the answer.
func (a *API) read(ctx context.Context, path string, into any) error {
	text, code, err := a.Get(ctx, path)
	if err != nil {
		return err
	}
	if code != http.StatusOK {
		var problem struct{ Title, Detail string }
		if json.Unmarshal(text, &problem) == nil && problem.Detail+problem.Title != "" {
			return fmt.Errorf("%s answers %d: %s", path, code, strings.TrimSpace(problem.Title+" "+problem.Detail))
		}
		return fmt.Errorf("%s answers %d", path, code)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("cannot read the answer of %s: %w", path, err)
	}
	return nil
}

// FromAPI asks a running process. It fails when that does not answer at all.
func FromAPI(ctx context.Context, a *API, l Limits) (*Status, error) {
	s := &Status{From: a.URL, At: time.Now().UTC(), Open: map[string]int{}, Automation: Automation{State: "unknown"}}
	missing := func(what string, err error) {
		if err != nil {
			s.Missing = append(s.Missing, what+": "+err.Error())
		}
	}
	text, code, err := a.Get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	if code == http.StatusOK {
		missing("metrics", s.metrics(string(text)))
	} else {
		missing("metrics", fmt.Errorf("/metrics answers %d", code))
	}
	var p Process
	if err := a.read(ctx, "/api/v1/status", &p); err != nil {
		missing("the process", err)
		_, code, _ := a.Get(ctx, "/readyz")
		p.Ready = code == http.StatusOK
	}
	s.Process = &p
	var found struct{ Items []flyball.Finding }
	err = a.read(ctx, "/api/v1/findings?state=open&limit=1000", &found)
	missing("findings", err)
	s.findings(found.Items, l)
	var decided struct{ Items []flyball.Decision }
	missing("decisions", a.read(ctx, fmt.Sprintf("/api/v1/decisions?limit=%d", max(1, l.Shown)), &decided))
	s.Decisions = decided.Items
	missing("automation", s.control(ctx, a))
	s.judge(l)
	return s, nil
}

// control asks what holds automation.
func (s *Status) control(ctx context.Context, a *API) error {
	var force struct {
		Holds []struct {
			flyball.Control
			Kind flyball.ControlKind `json:"kind"`
		}
		Breakers []struct{ Guardrail, Reason string }
		Waiting  []json.RawMessage
		Unknown  []json.RawMessage
	}
	if err := a.read(ctx, "/api/v1/control", &force); err != nil {
		return err
	}
	for i := range force.Holds {
		c := force.Holds[i].Control
		c.Kind = force.Holds[i].Kind
		s.Automation.Holds = append(s.Automation.Holds, hold(&c))
	}
	for _, b := range force.Breakers {
		s.Automation.Breakers = append(s.Automation.Breakers, b.Guardrail+": "+b.Reason)
	}
	s.Automation.Waiting, s.Automation.Unknown = len(force.Waiting), len(force.Unknown)
	s.Automation.state()
	return nil
}

// metrics takes lags and watermarks of the process.
func (s *Status) metrics(text string) error {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return fmt.Errorf("cannot read /metrics: %w", err)
	}
	lags, slowest := map[string]int64{}, map[string]float64{}
	each(families["flyball_source_lag_records"], func(m *dto.Metric) { lags["aggregate"] += int64(m.GetGauge().GetValue()) })
	each(families["flyball_lag_records"], func(m *dto.Metric) {
		if role := label(m, "role"); role != "aggregate" { // known better by what is there
			lags[role] += int64(m.GetGauge().GetValue())
		}
	})
	each(families["flyball_watermark_seconds"], func(m *dto.Metric) {
		source, at := label(m, "source"), m.GetGauge().GetValue()
		if old, known := slowest[source]; at > 0 && (!known || at < old) {
			slowest[source] = at
		}
	})
	for _, role := range []string{"aggregate", "evaluate", "decide", "record", "notify"} {
		if n, known := lags[role]; known {
			s.Roles = append(s.Roles, Role{Role: role, Lag: n})
		}
	}
	for source, at := range slowest {
		delay := s.At.Sub(time.UnixMilli(int64(math.Round(at * 1000))))
		s.Sources = append(s.Sources, Source{source, max(0, delay)})
	}
	slices.SortFunc(s.Sources, func(a, b Source) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

func each(f *dto.MetricFamily, do func(*dto.Metric)) {
	for _, m := range f.GetMetric() {
		do(m)
	}
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}
