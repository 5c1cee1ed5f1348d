// Package canary compares a canary with its baseline. It holds what the judges
// share: the request, the result, the score over groups of metrics, and the
// verdict. The judges are in the packages kayenta and sequential.
//
// Request and result have the shape of Kayenta's remote judge, so that a judge
// can stand in for Kayenta's own.
package canary

// Verdict is what a judge says of the whole canary.
type Verdict string

// The verdicts. Inconclusive means that the data do not decide yet; Marginal that
// they do, and the score lies between the thresholds.
const (
	VerdictPass         Verdict = "pass"
	VerdictMarginal     Verdict = "marginal"
	VerdictFail         Verdict = "fail"
	VerdictInconclusive Verdict = "inconclusive"
)

// Classification is what a judge says of one metric.
type Classification string

// The classifications. All but Inconclusive are Kayenta's.
const (
	Pass             Classification = "Pass"
	High             Classification = "High"
	Low              Classification = "Low"
	Nodata           Classification = "Nodata"
	NodataFailMetric Classification = "NodataFailMetric"
	Error            Classification = "Error"
	Inconclusive     Classification = "Inconclusive"
)

// Direction says which change of a metric is harm.
type Direction string

// The directions.
const (
	Increase Direction = "increase"
	Decrease Direction = "decrease"
	Either   Direction = "either"
)

// Up is whether an increase is harm.
func (d Direction) Up() bool { return d != Decrease }

// Down is whether a decrease is harm.
func (d Direction) Down() bool { return d != Increase }

// Thresholds are the scores, 0 to 100, at which a canary passes and at which it
// is at least marginal.
type Thresholds struct {
	Pass     float64
	Marginal float64
}

// Label returns Kayenta's word for a score.
func (t Thresholds) Label(score float64) string {
	switch {
	case score >= t.Pass:
		return "Pass"
	case score >= t.Marginal:
		return "Marginal"
	}
	return "Fail"
}

// FinalJudgement is what Kayenta's orchestrator makes of the last score of an
// analysis: whether it passes, and the sentence it says. A nil threshold is not
// set.
func FinalJudgement(score float64, marginal, pass *float64) (bool, string) {
	text := formatScore(score)
	switch {
	case marginal == nil && pass == nil:
		return true, "No score thresholds were specified."
	case marginal != nil && score <= *marginal:
		return false, "Final canary score " + text + " is not above the marginal score threshold."
	case pass == nil:
		return true, "No pass score threshold was specified."
	case score < *pass:
		return false, "Final canary score " + text + " is below the pass score threshold."
	}
	return true, "Final canary score " + text + " met or exceeded the pass score threshold."
}
