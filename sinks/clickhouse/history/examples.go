package history

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// Examples returns the samples that findings are about, by their ids: those of the latest
// state that had any.
func Examples(ctx context.Context, db *clickhouse.DB, findings []string) (map[string][]flyball.Example, error) {
	var rows []struct {
		ID       string `ch:"id"`
		Examples string `ch:"examples"`
	}
	err := db.Conn().Select(ctx, &rows, `
SELECT id, argMax(examples, revision) AS examples
FROM findings FINAL
WHERE id IN (?) AND findings.examples != ''
GROUP BY id`, findings)
	if err != nil {
		return nil, fmt.Errorf("cannot read examples from %q: %w", db.Name(), err)
	}
	out := map[string][]flyball.Example{}
	for _, r := range rows {
		var list []flyball.Example
		if err := json.Unmarshal([]byte(r.Examples), &list); err != nil {
			return nil, fmt.Errorf("cannot read the examples of finding %q: %w", r.ID, err)
		}
		out[r.ID] = list
	}
	return out, nil
}
