package stats

import (
	"fmt"
	"math"
	"testing"
)

// integral is ln of the mean of exp(f) over [low, high], weighted by exp(weight), by
// the midpoint rule on a grid that is finer than what is integrated.
func integral(low, high float64, weight, f func(x float64) float64) float64 {
	const n = 200_000
	over, under := make([]float64, n), make([]float64, n)
	for i := range n {
		x := low + (high-low)*(float64(i)+0.5)/n
		w := weight(x)
		over[i], under[i] = w+f(x), w
	}
	return logSumExp(over) - logSumExp(under)
}

// Every mixture is what the paper defines: the mean of exp(λs − ψ(λ)v) over its prior of
// λ, at other levels, scales and times than those of the published values.
func TestMixturesAreTheIntegrals(t *testing.T) {
	points := [][2]float64{{5, 30}, {-3, 50}, {40, 400}, {0, 1}}
	f := func(name string, m Mixture, want func(s, v float64) float64) {
		t.Helper()
		for _, p := range points {
			if got, w := m.LogEvidence(p[0], p[1]), want(p[0], p[1]); math.Abs(got-w) > 1e-5 {
				t.Errorf("%s at %v: got %.8g, want %.8g", name, p, got, w)
			}
		}
	}
	for _, o := range []struct{ v, alpha float64 }{{10, 0.01}, {500, 0.2}, {100, 0.05}} {
		normal := func(low float64, rho float64) func(s, v float64) float64 {
			return func(s, v float64) float64 {
				return integral(low, 8/math.Sqrt(rho), func(l float64) float64 { return -l * l * rho / 2 }, func(l float64) float64 { return l*s - l*l*v/2 })
			}
		}
		two, one := NormalMixtureRho(o.v, o.alpha), NormalMixtureRho(o.v, 2*o.alpha)
		f(fmt.Sprint("normal ", o), NewNormalMixture(o.v, o.alpha, false), normal(-8/math.Sqrt(two), two))
		f(fmt.Sprint("one-sided normal ", o), NewNormalMixture(o.v, o.alpha, true), normal(0, one))
		for _, c := range []float64{0.5, 3} {
			k := one / (c * c)
			if k > 1 { // else the prior has a pole, which a grid misses
				f(fmt.Sprint("gamma-exponential ", o, c), NewGammaExponentialMixture(o.v, o.alpha, c), func(s, v float64) float64 {
					return integral(0, 1, // of cλ
						func(x float64) float64 { return (k-1)*math.Log1p(-x) + k*x },
						func(x float64) float64 { return x/c*s + (math.Log1p(-x)+x)/(c*c)*v })
				})
			}
			f(fmt.Sprint("gamma-Poisson ", o, c), NewGammaPoissonMixture(o.v, o.alpha, c), func(s, v float64) float64 {
				return integral(0, math.Log(1+60/k+20/math.Sqrt(k)), // of cλ
					func(x float64) float64 { return k*x - k*math.Exp(x) },
					func(x float64) float64 { return x/c*s - (math.Exp(x)-x-1)/(c*c)*v })
			})
		}
		for _, gh := range [][2]float64{{0.2, 0.8}, {0.9, 0.1}, {1, 2}} {
			g, h := gh[0], gh[1]
			binomial := func(r, high float64) func(s, v float64) float64 {
				a, b := r/(g*(g+h)), r/(h*(g+h))
				return func(s, v float64) float64 {
					return integral(0, high,
						func(x float64) float64 { return (a-1)*math.Log(x) + (b-1)*math.Log1p(-x) },
						func(x float64) float64 {
							l := math.Log((1-x)*h/(x*g)) / (g + h)
							return l*s - v/(g*h)*math.Log((g*math.Exp(h*l)+h*math.Exp(-g*l))/(g+h))
						})
				}
			}
			if two-g*h > g*(g+h) && two-g*h > h*(g+h) { // as above
				f(fmt.Sprint("beta-binomial ", o, gh), NewBetaBinomialMixture(o.v, o.alpha, g, h, false), binomial(two-g*h, 1))
			}
			if one-g*h > g*(g+h) && one-g*h > h*(g+h) {
				f(fmt.Sprint("one-sided beta-binomial ", o, gh), NewBetaBinomialMixture(o.v, o.alpha, g, h, true), binomial(one-g*h, h/(g+h)))
			}
		}
	}
}
