package survey

import (
	"bytes"
	"strconv"
	"strings"
)

func readInflux(value []byte, each func(Sample)) {
	for line := range bytes.Lines(value) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if x, ok := influxLine(line); ok {
			each(x)
		}
	}
}

// influxLine reads a line of the line protocol: measurement,tags fields timestamp.
func influxLine(line []byte) (x Sample, ok bool) {
	sections := cut(string(line), ' ')
	if len(sections) < 2 || len(sections) > 3 {
		return x, false
	}
	if len(sections) == 3 {
		if _, err := strconv.ParseInt(sections[2], 10, 64); err != nil {
			return x, false
		}
	}
	x = Sample{Labels: map[string]string{}, Numbers: map[string]float64{}}
	head := cut(sections[0], ',')
	x.Metric = unescape(head[0])
	for _, tag := range head[1:] {
		kv := cut(tag, '=')
		if len(kv) != 2 {
			return x, false
		}
		x.Labels[unescape(kv[0])] = unescape(kv[1])
	}
	for _, field := range cut(sections[1], ',') {
		kv := cut(field, '=')
		if len(kv) != 2 {
			return x, false
		}
		name := unescape(kv[0])
		if n, err := strconv.ParseFloat(strings.TrimRight(kv[1], "iu"), 64); err == nil {
			x.Numbers[name] = n
		} else if _, tagged := x.Labels[name]; !tagged {
			x.Labels[name] = strings.Trim(kv[1], `"`)
		}
	}
	return x, x.Metric != ""
}

// cut splits at a byte that is neither escaped nor within quotes.
func cut(s string, at byte) []string {
	var out []string
	from, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == at && !quoted:
			out, from = append(out, s[from:i]), i+1
		}
	}
	return append(out, s[from:])
}

var unescape = strings.NewReplacer(`\,`, `,`, `\ `, ` `, `\=`, `=`).Replace
