package scenario

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/scenario/input"
)

// parseCanary reads
//
//	canary start NAME ENTITY [id=…] [version=…] [baseline=…] [for=…] [pass=…] [marginal=…] [by=…]
//	canary cancel NAME ENTITY id=… [by=…]
func parseCanary(args []string) (action, error) {
	if len(args) < 3 || args[0] != "start" && args[0] != "cancel" {
		return nil, fmt.Errorf("want canary start or canary cancel, a canary and an entity, such as canary start release checkout version=2")
	}
	r := flyball.CanaryRequest{ID: "scenario", Cancel: args[0] == "cancel", Canary: args[1], Entity: args[2]}
	for _, arg := range args[3:] {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, fmt.Errorf("want name=value, got %q", arg)
		}
		var err error
		switch name {
		case "id":
			r.ID = value
		case "version":
			r.Version = value
		case "baseline":
			r.Baseline = value
		case "by":
			r.By = value
		case "for":
			d, bad := input.Duration(value)
			r.Seconds, err = int64(d.Seconds()), bad
		case "pass":
			r.Pass, err = score(value)
		case "marginal":
			r.Marginal, err = score(value)
		default:
			return nil, fmt.Errorf("unknown field %q: want id, version, baseline, for, pass, marginal or by", name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return func(run *run) error { return run.engine.Request(r) }, nil
}

func score(text string) (*float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	return &v, err
}

// verdict writes what is known of a canary.
func (p printer) verdict(v *flyball.Verdict) line {
	words := []string{kindVerdict, v.Verdict, v.Phase, word(v.Canary), word(v.Entity), "version=" + word(v.Version), "baseline=" + word(v.Baseline),
		"at=" + p.time(v.At), "score=" + digits(v.Score), fmt.Sprintf("looks=%d", v.Looks)}
	if v.Held > 0 {
		words = append(words, fmt.Sprintf("held=%d", v.Held))
	}
	if v.Step > 0 || v.AllowedWeight > 0 {
		words = append(words, fmt.Sprintf("step=%d", v.Step), fmt.Sprintf("weight=%d", v.AllowedWeight))
	}
	for _, m := range v.Metrics {
		words = append(words, word(m.Name)+"="+m.Classification)
	}
	if v.Needs != "" {
		words = append(words, "needs="+word(v.Needs))
	}
	return line{kind: kindVerdict, event: v.At, words: words}
}
