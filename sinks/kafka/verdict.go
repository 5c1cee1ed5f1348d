package kafka

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/flyball-io/flyball"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Types of the events about canaries.
const (
	TypeVerdict      = "dev.flyball.verdict.v1"
	TypeCanaryStart  = "dev.flyball.canary.start.v1"
	TypeCanaryCancel = "dev.flyball.canary.cancel.v1"
)

// Verdict returns the record of a verdict, keyed by the analysis.
func (e Encoder) Verdict(v *flyball.Verdict) (*kgo.Record, error) {
	if v.ID == "" || v.At == flyball.NoTime {
		return nil, fmt.Errorf("cannot encode verdict %q: it has no id or no time", v.ID)
	}
	out := *v
	out.Metrics = orEmpty(v.Metrics)
	return &kgo.Record{
		Topic: e.Topics.Verdicts(), Key: []byte(v.ID), Value: encodeData(&out),
		Headers: attributes{
			id: VerdictEventID(v.ID, v.Revision), source: e.source(), typ: TypeVerdict, subject: v.ID, time: v.At,
			correlationID: v.ID, expiry: flyball.NoTime,
		}.headers(),
	}, nil
}

// VerdictEventID returns the ce_id of a verdict: a hash of the analysis and the
// revision.
func VerdictEventID(id string, revision int) string {
	sum := sha256.Sum256(framed("verdict", id, strconv.Itoa(revision)))
	return hex.EncodeToString(sum[:16])
}

// DecodeVerdict reads a record of the verdicts topic.
func DecodeVerdict(r *kgo.Record) (flyball.Verdict, error) {
	a, err := readAttributes(r.Headers, TypeVerdict)
	if err != nil {
		return flyball.Verdict{}, fmt.Errorf("cannot decode verdict: %w", err)
	}
	v := flyball.Verdict{At: flyball.NoTime}
	if err := decodeData(r.Value, &v); err != nil {
		return flyball.Verdict{}, fmt.Errorf("cannot decode verdict %q: %w", a.id, err)
	}
	if a.id != VerdictEventID(v.ID, v.Revision) {
		return flyball.Verdict{}, fmt.Errorf("cannot decode verdict %q: header %s is not that of verdict %q revision %d", a.id, HeaderID, v.ID, v.Revision)
	}
	return v, nil
}

// CanaryRequest returns the record of a request, for the partition of its entity in
// the topic of canaries. At is when it is made, on the wall clock.
func (e Encoder) CanaryRequest(r *flyball.CanaryRequest, at flyball.Time) (*kgo.Record, error) {
	if r.ID == "" || r.Canary == "" || r.Entity == "" {
		return nil, fmt.Errorf("cannot encode request %q: it has no id, canary or entity", r.ID)
	}
	typ := TypeCanaryStart
	if r.Cancel {
		typ = TypeCanaryCancel
	}
	return &kgo.Record{
		Topic: e.Topics.Canaries(), Key: []byte(r.Entity), Value: encodeData(r),
		Headers: attributes{id: typ + "/" + r.ID, source: e.source(), typ: typ, subject: r.ID, time: at, expiry: flyball.NoTime}.headers(),
	}, nil
}

// DecodeCanaryRequest reads a record of the topic of canaries.
func DecodeCanaryRequest(r *kgo.Record) (flyball.CanaryRequest, error) {
	a, err := readAttributes(r.Headers, TypeCanaryStart, TypeCanaryCancel)
	if err != nil {
		return flyball.CanaryRequest{}, fmt.Errorf("cannot decode request: %w", err)
	}
	var out flyball.CanaryRequest
	if err := decodeData(r.Value, &out); err != nil {
		return out, fmt.Errorf("cannot decode request %q: %w", a.id, err)
	}
	if out.Cancel != (a.typ == TypeCanaryCancel) {
		return out, fmt.Errorf("cannot decode request %q: header %s is %q, and cancel is %v", a.id, HeaderType, a.typ, out.Cancel)
	}
	return out, nil
}
