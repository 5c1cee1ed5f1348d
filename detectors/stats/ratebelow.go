package stats

import "math"

// LogRateBelow returns the logarithm of the evidence that a rate is below a limit,
// after so many events in so much exposure: a mixture of the likelihood ratios of
// lower rates over the limit, half of it that of none at all, because that is what
// is seen most. It is an e-process for "at least the limit" for Poisson counts: the
// likelihood ratio of a lower rate only falls when the true rate is higher.
func LogRateBelow(events, exposure, limit float64, d Dispersion) float64 {
	var logs []float64
	for _, a := range []struct{ weight, part float64 }{{0.5, 0}, {0.25, 0.2}, {0.25, 0.5}} {
		log := (1 - a.part) * limit * exposure
		if events > 0 {
			log += events * math.Log(a.part)
		}
		logs = append(logs, math.Log(a.weight)+log/d.Factor)
	}
	return logSumExp(logs)
}
