package main

import (
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/processors/remediation"
)

// configOptions reads configurations with everything checked that can be.
func configOptions() config.Options {
	return config.Options{CheckExpr: func(expr string) []config.ExprIssue {
		var out []config.ExprIssue
		for _, i := range remediation.CheckCondition(expr) {
			out = append(out, config.ExprIssue{Line: i.Line, Col: i.Col, Message: i.Message})
		}
		return out
	}}
}
