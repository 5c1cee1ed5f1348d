package openslo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/flyball-io/flyball"
)

// revisionOf returns a hash of what an SLO counts: which samples of what, good or
// bad by what, summed up for whom. Its target, period and tiers are not in it:
// when they change, what was counted is judged anew.
func revisionOf(s *flyball.SLO, i *flyball.Indicator) string {
	said, err := json.Marshal(map[string]any{
		"indicator": i.Name, "source": i.Source, "filter": texts(i.Filter), "bad": texts(i.Bad), "entity": i.Entity,
		"selector": texts(s.Selector), "groupBy": s.GroupBy, "threshold": s.Threshold,
	})
	if err != nil {
		panic(fmt.Sprintf("BUG: what an SLO counts does not encode: %v", err))
	}
	sum := sha256.Sum256(said)
	return hex.EncodeToString(sum[:6])
}
