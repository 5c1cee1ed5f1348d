package openslo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
)

// revisionOf returns a hash of what an SLO counts: which samples of what, good or
// bad by what, summed up for whom. Its target, period and tiers are not in it:
// when they change, what was counted is judged anew.
func revisionOf(s *flyball.SLO, indicators map[string]*kind.Indicator) string {
	said := []any{s.GroupBy, s.Threshold}
	add := func(name string, selector []flyball.Matcher, weight int64) {
		if i := indicators[name]; i != nil {
			said = append(said, i.Name, i.Source, texts(i.Filter), texts(i.Bad), i.Entity, texts(selector), weight)
		}
	}
	if len(s.Parts) == 0 {
		add(s.Indicator, s.Selector, 1)
	}
	for _, p := range s.Parts {
		add(p.Indicator, p.Selector, p.Weight)
		if p.Threshold != nil {
			said = append(said, p.Threshold)
		}
		if s.Method != flyball.Occurrences { // kept are the verdicts on slices, not what they rest on
			said = append(said, s.Method, s.Slice, p.SliceTargetPPB)
		}
	}
	text, err := json.Marshal(said)
	if err != nil {
		panic(fmt.Sprintf("BUG: what an SLO counts does not encode: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}
