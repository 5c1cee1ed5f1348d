package stats

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shared reads a file of published values, or skips the test.
func shared(t *testing.T, name string, into any) {
	t.Helper()
	dir := os.Getenv("FLYBALL_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	text, err := os.ReadFile(filepath.Join(dir, "data", name))
	if err != nil {
		t.Skipf("needs the shared data: set FLYBALL_SHARED: %v", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

type boundaryCase struct {
	Function  string
	Args      map[string]any
	Expected  any
	Tolerance float64
}

func (c boundaryCase) num(name string) float64 { v, _ := c.Args[name].(float64); return v }

func integers(from, to int) []float64 {
	var list []float64
	for i := from; i <= to; i++ {
		list = append(list, float64(i))
	}
	return list
}

func (c boundaryCase) compute(t *testing.T) []float64 {
	v, alpha, vOpt, alphaOpt := c.num("v"), c.num("alpha"), c.num("v_opt"), c.num("alpha_opt")
	oneSided, _ := c.Args["one_sided"].(bool)
	inf := math.Inf(1)
	switch c.Function {
	case "two_sided_normal_best_rho":
		return []float64{NormalMixtureRho(vOpt, alphaOpt)}
	case "normal_mixture_bound":
		return []float64{MixtureBound(NewNormalMixture(vOpt, alphaOpt, oneSided), v, alpha, inf)}
	case "gamma_exponential_mixture_bound":
		return []float64{MixtureBound(NewGammaExponentialMixture(vOpt, alphaOpt, c.num("c")), v, alpha, inf)}
	case "gamma_poisson_mixture_bound":
		return []float64{MixtureBound(NewGammaPoissonMixture(vOpt, alphaOpt, c.num("c")), v, alpha, inf)}
	case "beta_binomial_mixture_bound":
		g, h := c.num("g"), c.num("h")
		return []float64{MixtureBound(NewBetaBinomialMixture(vOpt, alphaOpt, g, h, oneSided), v, alpha, v/g)}
	case "poly_stitching_bound":
		return []float64{PolyStitchingBound(v, alpha, c.num("v_min"), c.num("c"), c.num("s"), c.num("eta"))}
	case "empirical_process_lil_bound":
		return []float64{NewEmpiricalProcessBound(alpha, c.num("t_min"), c.num("A")).Radius(c.num("t"))}
	case "double_stitching_bound":
		return []float64{DoubleStitchingBound(c.num("quantile_p"), c.num("t"), alpha, c.num("t_opt"), c.num("delta"), c.num("s"), c.num("eta"))}
	case "quantile_ab_p_value":
		off := int(c.num("offset"))
		return []float64{QuantileABPValue(integers(1, 1000), integers(1+off, 1000+off), c.num("quantile_p"), c.num("t_opt"), alphaOpt)}
	case "bernoulli_confidence_interval":
		low, high := BernoulliInterval(c.num("successes"), c.num("trials"), alpha, c.num("t_opt"), alphaOpt)
		return []float64{low, high}
	}
	t.Fatalf("no function %q", c.Function)
	return nil
}

func TestPublishedBoundaries(t *testing.T) {
	var file struct{ Cases []boundaryCase }
	shared(t, "sequential_cases.json", &file)
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.Cases {
		t.Run(c.Function, func(t *testing.T) {
			want, ok := c.Expected.([]any)
			if !ok {
				want = []any{c.Expected}
			}
			for i, got := range c.compute(t) {
				if w := want[i].(float64); !(math.Abs(got-w) <= c.Tolerance) {
					t.Errorf("%v: got %.8g, want %.8g", c.Args, got, w)
				}
			}
		})
	}
}

// Values of the reference implementation of the boundaries' authors.
func TestMixturesAtOnePoint(t *testing.T) {
	f := func(name string, m Mixture, want float64) {
		t.Helper()
		if got := m.LogEvidence(10, 100); math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: got %.8g, want %.8g", name, got, want)
		}
	}
	f("two-sided normal", NewNormalMixture(100, 0.05, false), -0.6510052)
	f("one-sided normal", NewNormalMixture(100, 0.05, true), -0.06502391)
	f("gamma-exponential", NewGammaExponentialMixture(100, 0.05, 2), -0.2490165)
	f("gamma-Poisson", NewGammaPoissonMixture(100, 0.05, 2), -0.06991219)
	f("two-sided beta-binomial", NewBetaBinomialMixture(100, 0.05, 0.2, 0.8, false), -0.6941012)
	f("one-sided beta-binomial", NewBetaBinomialMixture(100, 0.05, 0.2, 0.8, true), -0.07134019)
	if got := PolyStitchingBound(100, 0.05, 10, -1, 1.4, 2); math.Abs(got-28.99389) > 1e-5 {
		t.Errorf("stitching with a negative scale: got %.8g", got)
	}
}

func TestMannWhitneyReference(t *testing.T) {
	var file struct {
		M struct {
			Cases []struct {
				X, Y    []float64
				U       float64
				Less    *float64 `json:"p_less"`
				Two     *float64 `json:"p_two_sided"`
				Greater *float64 `json:"p_greater"`
			}
			Large struct {
				U    float64
				Less float64 `json:"p_less"`
				Two  float64 `json:"p_two_sided"`
			} `json:"large_sample"`
		} `json:"mann_whitney_exact"`
	}
	shared(t, "reference_vectors.json", &file)
	near := func(name string, got float64, want *float64) {
		t.Helper()
		if want != nil && math.Abs(got-*want) > 1e-12 {
			t.Errorf("%s: got %v, want %v", name, got, *want)
		}
	}
	for _, c := range file.M.Cases {
		r, err := MannWhitney(c.X, c.Y)
		if err != nil || !r.Exact || r.U != c.U {
			t.Errorf("%v against %v: U %v, exact %v, %v; want U %v", c.X, c.Y, r.U, r.Exact, err, c.U)
		}
		near("less", r.Less, c.Less)
		near("greater", r.Greater, c.Greater)
		near("two-sided", r.TwoSided, c.Two)
	}
	var x, y []float64
	for i := range 600 {
		if i < 500 {
			x = append(x, float64(i*2))
		}
		y = append(y, float64(i*2-41))
	}
	r, err := MannWhitney(x, y)
	if err != nil || r.U != file.M.Large.U {
		t.Errorf("large: U %v, %v", r.U, err)
	}
	near("large, less", r.Less, &file.M.Large.Less)
	near("large, two-sided", r.TwoSided, &file.M.Large.Two)
}

func TestMannWhitneyRefusesNothing(t *testing.T) {
	if _, err := MannWhitney(nil, []float64{1}); err == nil || !strings.Contains(err.Error(), "0 with 1") {
		t.Errorf("got %v", err)
	}
}
