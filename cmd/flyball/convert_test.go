package main

import (
	"strings"
	"testing"
)

func TestConvertCommand(t *testing.T) {
	const spec = `version: prometheus/v1
service: shop
slos:
  - name: up
    objective: 99
    sli: {events: {error_query: 'x{job="shop",odd="1"}', total_query: 'x{job="shop"}'}}
    alerting: {}
`
	out, talk, code := flyballCommand(t, spec, "convert", "sloth", "-")
	if code != exitOK || !strings.Contains(out, "kind: Indicator") || !strings.Contains(talk, `-:5: the label "odd"`) {
		t.Errorf("exit %d: %s\n%s", code, out, talk)
	}
	if _, talk, code := flyballCommand(t, "x", "convert", "sloth", "-"); code != exitUsage || talk == "" {
		t.Errorf("exit %d: %s", code, talk)
	}
	if _, _, code := flyballCommand(t, "", "convert", "sloth", "no-such-file"); code != exitUsage {
		t.Errorf("exit %d", code)
	}
}
