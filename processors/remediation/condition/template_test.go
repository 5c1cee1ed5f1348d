package condition

import (
	"strings"
	"testing"

	"github.com/flyball-io/flyball"
)

func TestTemplateRender(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		tm, issues := language(t).Template(text)
		if issues != nil {
			t.Fatalf("%q: %v", text, issues)
		}
		if got, err := tm.Render(NewView(finding(), 100e9, nil)); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
	f("plain", "plain")
	f("", "")
	f("{{finding.entity}}", "checkout")
	f("k8s:{{ finding.labels.env }}/{{finding.labels.service}}/deploy", "k8s:prod/checkout/deploy")
	f("{{finding.labels.env.upperAscii()}}-{{finding.revision}}-{{finding.incomplete}}-{{finding.evidence.burn_long}}", "PROD-2-false-20.5")
	f(`{{has(finding.labels.team) ? finding.labels.team : "nobody"}}`, "nobody")
	f("}} and { and }", "}} and { and }")
}

func TestTemplateCannotRender(t *testing.T) {
	f := func(text, want string, change func(*flyball.Finding)) {
		t.Helper()
		tm, issues := language(t).Template(text)
		if issues != nil {
			t.Fatalf("%q: %v", text, issues)
		}
		fd := finding()
		change(fd)
		if got, err := tm.Render(NewView(fd, fd.At, nil)); err == nil || got != "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, %v, want an error with %q", text, got, err, want)
		}
	}
	same := func(*flyball.Finding) {}
	service := func(s string) func(*flyball.Finding) {
		return func(fd *flyball.Finding) { fd.Labels = flyball.LabelsOf("service", s) }
	}
	f("deploy/{{finding.labels.team}}", "{{finding.labels.team}}: it is empty", same)
	f("deploy/{{finding.evidence.score}}", "no such key: score", same)
	f("deploy/{{finding.labels.service}}", "control characters", service("a\nb"))
	f("deploy/{{finding.labels.service}}", "UTF-8", service("a\xff"))
	f("deploy/{{finding.labels.service}}", "more than 1024", service(strings.Repeat("a", 1024)))
}

func TestCheckTemplate(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		issues := CheckTemplate(text)
		if len(issues) == 0 {
			t.Fatalf("%q passes", text)
		}
		if got := issues[0].String(); !strings.HasPrefix(got, want) {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	f("a{{", "1:2: {{ has no }}")
	f("ä{{finding.kin}}", "1:11: a finding has no field 'kin' (did you mean 'kind'?)")
	f("one\ntwo {{finding.kin}}", "2:14: a finding has no field 'kin'")
	f("one {{finding.id +\n finding.kin}}", "2:9: a finding has no field 'kin'")
	f("{{finding.labels}}", "1:10: finding.labels is a map")
	f("{{finding.at}}", "1:3: a place must hold a string, a number or a bool, this is timestamp")
	f("{{}}", "1:3: Syntax error")
	if got := CheckTemplate("k8s:{{finding.entity}}"); got != nil {
		t.Errorf("a good template: %v", got)
	}
}
