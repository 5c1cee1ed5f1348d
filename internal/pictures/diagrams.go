package main

import (
	"maps"
	"slices"
)

func sorted(m map[float64]string) []float64 { return slices.Sorted(maps.Keys(m)) }

// pipeline shows roles and the topics between them.
func pipeline() string {
	c := newCanvas(920, 400, "Roles and the topics between them: aggregate, evaluate and decide work in Kafka transactions; record, notify and executors read what they wrote")
	roles := []struct{ name, a, b string }{
		{"aggregate", "decodes, folds samples", "into partial panes"},
		{"evaluate", "closes windows; budgets,", "detectors, canaries"},
		{"decide", "rules, gates,", "verification"},
	}
	for i, r := range roles {
		x := 150 + float64(i)*255
		c.box(x, 70, 200, 90, "main-soft", "main", r.name, r.a, r.b)
		c.text(x+100, 60, "middle", "small muted", "one Kafka transaction")
	}
	c.box(10, 80, 100, 70, "fill", "border", "telemetry", "your topics")
	c.arrow(110, 115, 148, 115)
	c.arrow(350, 115, 403, 115)
	c.arrow(605, 115, 658, 115)
	c.text(377, 178, "middle", "mono muted", "flyball.panes")
	c.text(632, 178, "middle", "mono muted", "flyball.findings")
	c.line("border", `stroke-dasharray="3 3"`, 377, 120, 377, 165)
	c.line("border", `stroke-dasharray="3 3"`, 632, 120, 632, 165)
	c.arrow(505, 160, 505, 258)
	c.text(513, 215, "start", "mono muted", "windows, slo, verdicts")
	c.arrow(720, 160, 720, 258)
	c.text(712, 232, "end", "mono muted", "decisions")
	c.arrow(800, 160, 800, 258)
	c.text(808, 190, "start", "mono muted", "commands")
	c.box(150, 260, 215, 70, "fill", "border", "notify", "Slack, PagerDuty, Alertmanager")
	c.box(405, 260, 340, 70, "fill", "border", "record → ClickHouse", "at its own pace: nothing waits for it")
	c.box(765, 260, 145, 70, "good-soft", "good", "executor", "yours, or flyball's")
	c.line("muted", `stroke-dasharray="5 4" marker-end="url(#arrow)"`, 632, 182, 632, 200, 257, 200, 257, 258)
	c.line("muted", `stroke-dasharray="5 4" marker-end="url(#arrow)"`, 890, 260, 890, 115, 862, 115)
	c.text(884, 240, "end", "mono muted", "outcomes")
	c.text(460, 372, "middle", "small muted", "Any process runs any roles, and may die at any time: partitions go to others, and what was not committed never happened.")
	return c.String()
}

// panes shows how samples become windows, and what happens to late ones.
func panes() string {
	c := newCanvas(920, 380, "Samples fall into panes by their event time; a window is a run of panes, and closes when the watermark passes its end; a late sample makes a correction")
	const left, step = 132.0, 61.0
	c.text(16, 68, "start", "strong", "samples")
	c.text(16, 138, "start", "strong", "panes, 10 s")
	c.text(16, 203, "start", "strong", "windows, 1 m")
	for i := range 13 {
		x := left + float64(i)*step
		c.line("grid", "", x, 35, x, 235)
		if i%2 == 0 {
			c.text(x, 28, "middle", "small muted", []string{"12:00:00", "12:00:20", "12:00:40", "12:01:00", "12:01:20", "12:01:40", "12:02:00"}[i/2])
		}
	}
	counts := []int{5, 4, 6, 5, 3, 5, 6, 4, 5, 2}
	for i, n := range counts {
		x := left + float64(i)*step
		for k := range n {
			c.add(`<circle cx="%.1f" cy="%.1f" r="3.5" fill="var(--main)"/>`, x+6+float64(k)*(step-12)/float64(n), 58+float64((k*7+i*5)%14))
		}
		c.box(x+2, 115, step-4, 36, "main-soft", "main", []string{"5", "4", "6", "5", "3", "5", "6", "4", "5", "2"}[i])
	}
	c.box(left+2, 178, 6*step-4, 42, "good-soft", "good", "[12:00:00, 12:01:00)   28 samples: closed")
	c.box(left+6*step+2, 178, 6*step-4, 42, "fill", "border", "[12:01:00, 12:02:00)   open")
	wm, newest := left+9.0*step-8, left+9.5*step
	c.line("bad", `stroke-width="2"`, wm, 40, wm, 262)
	c.text(wm-8, 256, "end", "small strong", "watermark: nothing before it is on its way")
	c.line("muted", `marker-start="url(#arrow)" marker-end="url(#arrow)"`, wm+2, 92, newest+2, 92)
	c.text(newest+10, 96, "start", "small muted", "outOfOrderness, 5 s")
	late := left + 2.4*step
	c.add(`<circle cx="%.1f" cy="292" r="5" fill="var(--warn)"/>`, late)
	c.line("warn", `stroke-dasharray="4 3"`, late, 286, late, 222)
	c.text(late+12, 296, "start", "small", "comes now, for 12:00:24: late. Within lateness (5 m) the window is written again, as revision 2;")
	c.text(late+12, 314, "start", "small", "later it is a dead letter. Budgets and reports are repaired; no command is fired or taken back.")
	c.text(16, 358, "start", "small muted", "The watermark of a source is the least of its partitions. One that has nothing left to read is idle, and does not hold it back; one that lags does.")
	return c.String()
}

// commandLife shows what becomes of a finding.
func commandLife() string {
	c := newCanvas(920, 470, "From a finding over a rule and twenty gates to a command, its outcome and its verification")
	c.box(20, 30, 150, 60, "bad-soft", "bad", "finding", "opened, evidence")
	c.box(215, 30, 150, 60, "fill", "border", "rule", "when … holds for …")
	c.arrow(170, 60, 213, 60)
	c.arrow(365, 60, 408, 60)
	c.box(410, 20, 490, 190, "fill", "border", "")
	c.text(655, 42, "middle", "strong", "gates: all are asked, all are recorded")
	gates := [][]string{
		{"kill_switch", "scope", "mode", "maintenance", "condition"},
		{"data_complete", "duplicate", "target_busy", "changed", "cooldown"},
		{"backoff", "ineffective", "loop", "rate_limit", "concurrency"},
		{"blast_radius", "widespread", "dependency", "budget_guard", "approval"},
	}
	for i, column := range gates {
		for k, g := range column {
			c.text(428+float64(i)*120, 72+float64(k)*27, "start", "mono", g)
		}
	}
	c.text(655, 203, "middle", "small muted", "what is not known refuses")
	c.box(20, 150, 150, 60, "fill", "border", "suppress", "which gate, and why")
	c.arrow(408, 180, 172, 180)
	c.text(290, 172, "middle", "small muted", "one refuses")
	c.box(215, 105, 150, 50, "warn-soft", "warn", "observe, suggest", "await approval")
	c.arrow(408, 130, 367, 130)
	c.box(660, 260, 160, 60, "main-soft", "main", "command", "signed, with a deadline")
	c.arrow(740, 210, 740, 258)
	c.text(750, 240, "start", "small muted", "all agree, mode auto")
	c.box(440, 260, 160, 60, "fill", "border", "executor", "accepted → ended")
	c.arrow(660, 290, 602, 290)
	c.box(190, 260, 160, 60, "fill", "border", "verification", "recovered, and stays so")
	c.arrow(440, 290, 352, 290)
	c.text(395, 282, "middle", "small muted", "succeeded")
	c.box(20, 260, 130, 60, "good-soft", "good", "effective", "it is over")
	c.arrow(190, 290, 152, 290)
	c.box(180, 375, 195, 60, "warn-soft", "warn", "ineffective", "the next action, or a person")
	c.arrow(270, 320, 270, 373)
	c.box(20, 375, 130, 60, "bad-soft", "bad", "worse", "compensation")
	c.arrow(215, 320, 110, 373)
	c.box(405, 375, 220, 60, "warn-soft", "warn", "failed, rejected, unknown", "tried again, or the next action")
	c.arrow(520, 320, 520, 373)
	c.box(660, 375, 160, 60, "bad-soft", "bad", "a person", "nothing is left to try")
	c.arrow(625, 405, 658, 405)
	return c.String()
}
