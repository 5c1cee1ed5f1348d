package kafka

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/twmb/franz-go/pkg/kgo"
)

// outcomePrefix starts the types of all outcomes.
const outcomePrefix = "dev.flyball.outcome."

// outcomeType is the type of the event of a class.
func outcomeType(c flyball.OutcomeClass) string { return outcomePrefix + string(c) + ".v1" }

// OutcomeID returns the ce_id of an outcome: a hash of the operation, the attempt
// and the class, so that an executor that reports twice says the same.
func OutcomeID(operation string, attempt int, class flyball.OutcomeClass) string {
	sum := sha256.Sum256(framed("outcome", operation, strconv.Itoa(attempt), string(class)))
	return hex.EncodeToString(sum[:16])
}

// Outcome returns the record of an outcome, for partition 0 of the outcomes topic.
func (e Encoder) Outcome(o *flyball.Outcome) (*kgo.Record, error) {
	if o.OperationID == "" || o.Target == "" || o.Attempt < 1 || o.At == flyball.NoTime {
		return nil, fmt.Errorf("cannot encode outcome of %q: it has no operation, attempt, target or time", o.OperationID)
	}
	if !slices.Contains(flyball.OutcomeClasses(), o.Class) {
		return nil, fmt.Errorf("cannot encode outcome of %q: unknown class %q", o.OperationID, o.Class)
	}
	return &kgo.Record{
		Topic: e.Topics.Outcomes(), Key: []byte(o.Target), Value: encodeData(o),
		Headers: attributes{
			id: OutcomeID(o.OperationID, o.Attempt, o.Class), source: e.source(), typ: outcomeType(o.Class),
			subject: o.Target, time: o.At, causationID: o.Command, expiry: flyball.NoTime,
		}.headers(),
	}, nil
}

// DecodeOutcome reads a record of the outcomes topic. A class that is not known is
// a permanent failure: nobody can tell whether the thing may be done again.
func DecodeOutcome(r *kgo.Record) (flyball.Outcome, error) {
	a, err := readAttributes(r.Headers, outcomePrefix+"*")
	if err != nil {
		return flyball.Outcome{}, fmt.Errorf("cannot decode outcome: %w", err)
	}
	o := flyball.Outcome{Started: flyball.NoTime, Finished: flyball.NoTime}
	if err := decodeData(r.Value, &o); err != nil {
		return flyball.Outcome{}, fmt.Errorf("cannot decode outcome %q: %w", a.id, err)
	}
	o.ID, o.Target, o.At, o.Command = a.id, a.subject, a.time, a.causationID
	class := strings.TrimSuffix(strings.TrimPrefix(a.typ, outcomePrefix), ".v1")
	if o.Class = flyball.OutcomeClass(class); !slices.Contains(flyball.OutcomeClasses(), o.Class) {
		o.Class, o.Reason = flyball.OutcomePermanent, "AMBIGUOUS_RESULT"
		o.Detail = strings.TrimSpace(fmt.Sprintf("the class %q is unknown. %s", class, o.Detail))
	}
	if o.OperationID == "" || o.Attempt < 1 || o.At == flyball.NoTime {
		return flyball.Outcome{}, fmt.Errorf("cannot decode outcome %q: it has no operation, attempt or time", a.id)
	}
	return o, nil
}
