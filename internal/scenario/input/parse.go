package input

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

// parser reads the input line by line.
type parser struct {
	sources []Source
	source  Source
	step    time.Duration
	bad     Series // BadLabels and BadWith of the lines that follow

	partitions map[string]int32
	declared   map[string]bool // topics whose partitions are given and do not grow
	arrivals   []Arrival
	samples    int64
}

// stream is one line of samples.
type stream struct {
	Arrival
	from, step, late, skew time.Duration
	copies                 int
	spread                 bool
}

func (p *parser) parse(text string) error {
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(line, i+1); err != nil {
			return &Error{Line: i + 1, Message: err.Error()}
		}
	}
	return nil
}

func (p *parser) line(line string, number int) error {
	words, err := Words(line)
	if err != nil || len(words) == 0 {
		return err
	}
	switch words[0] {
	case "source":
		return p.setSource(words[1:])
	case "partitions":
		return p.setPartitions(words[1:])
	case "step":
		if len(words) != 2 {
			return fmt.Errorf("want step and a duration, such as step 10s")
		}
		p.step, err = positive(words[1])
		return err
	case "bad":
		p.bad, err = badSeries(words[1:])
		return err
	case "partition":
		return p.stream(words[1:], number)
	}
	return fmt.Errorf("a line starts with source, partitions, step, bad or partition, not %q", words[0])
}

func positive(s string) (time.Duration, error) {
	d, err := Duration(s)
	if err == nil && d <= 0 {
		err = fmt.Errorf("want a duration above 0, got %s", s)
	}
	return d, err
}

func (p *parser) setSource(words []string) error {
	at := slices.IndexFunc(p.sources, func(s Source) bool { return len(words) == 1 && s.Name == words[0] })
	if at < 0 {
		var names []string
		for _, s := range p.sources {
			names = append(names, s.Name)
		}
		return fmt.Errorf("want source and the name of one of %s", strings.Join(names, ", "))
	}
	p.source = p.sources[at]
	return nil
}

// setPartitions reads "partitions 3" and "partitions orders 3".
func (p *parser) setPartitions(words []string) error {
	if len(words) == 0 || len(words) > 2 {
		return fmt.Errorf("want partitions and a number, such as partitions 3")
	}
	topic, err := p.topic(strings.Join(words[:len(words)-1], ""))
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(words[len(words)-1], 10, 16)
	if err != nil || n < 1 {
		return fmt.Errorf("want a number of partitions, got %q", words[len(words)-1])
	}
	p.partitions[topic], p.declared[topic] = int32(n), true
	return nil
}

// topic returns the topic of the current source that is meant by a name, "" being
// its first.
func (p *parser) topic(name string) (string, error) {
	if len(p.source.Topics) == 0 {
		return "", fmt.Errorf("the configuration has no source")
	}
	if name == "" {
		return p.source.Topics[0], nil
	}
	if !slices.Contains(p.source.Topics, name) {
		return "", fmt.Errorf("source %q has no topic %q (it reads %s)", p.source.Name, name, strings.Join(p.source.Topics, ", "))
	}
	return name, nil
}

// badSeries reads what follows "bad": labels, with and numeric fields, or both.
func badSeries(words []string) (Series, error) {
	var s Series
	var err error
	if len(words) > 0 && words[0] != "with" {
		if s.BadLabels, err = Labels(words[0], flyball.DefaultEntity); err != nil {
			return s, err
		}
		words = words[1:]
	}
	if len(words) > 0 && words[0] == "with" {
		if s.BadWith, words, err = fields(words[1:]); err != nil {
			return s, err
		}
	}
	if len(words) > 0 || s.BadLabels == nil && s.BadWith == nil {
		return s, fmt.Errorf(`want what bad samples have, such as bad {status.code="ERROR"} or bad with status=503`)
	}
	return s, nil
}

var fieldForm = regexp.MustCompile(`^([^={}"]+)=([^={}"]+)$`)

// fields reads numeric fields, name=number, as long as there are any, and returns
// the words after them.
func fields(words []string) (map[string]float64, []string, error) {
	out := map[string]float64{}
	for len(words) > 0 {
		m := fieldForm.FindStringSubmatch(words[0])
		if m == nil {
			break
		}
		n, err := flyball.ParseQuantity(m[2])
		if err != nil {
			return nil, words, err
		}
		out[m[1]] = n
		words = words[1:]
	}
	if len(out) == 0 {
		return nil, words, fmt.Errorf("want name=number after with")
	}
	return out, words, nil
}

// stream reads a line of samples: where, of what, how, a colon and items.
func (p *parser) stream(words []string, number int) error {
	colon := slices.IndexFunc(words, func(w string) bool { return strings.HasSuffix(w, ":") })
	if colon < 1 {
		return fmt.Errorf(`want partition, its number, a series, a colon and items, such as partition 0 cart: 5x6`)
	}
	head, items := words[:colon+1], words[colon+1:]
	if head[colon] = strings.TrimSuffix(head[colon], ":"); head[colon] == "" {
		head = head[:colon]
	}
	if len(head) < 2 || len(items) == 0 {
		return fmt.Errorf("want a partition and a series before the colon, and items after it")
	}
	s := stream{step: p.step, copies: 1}
	s.Line, s.Source = number, p.source.Name
	s.Series = &Series{Value: p.source.Value, BadLabels: p.bad.BadLabels, BadWith: p.bad.BadWith}
	if err := p.place(&s, head[0]); err != nil {
		return err
	}
	var err error
	if s.Series.Labels, err = Labels(head[1], flyball.DefaultEntity); err != nil {
		return err
	}
	if err := s.clauses(head[2:]); err != nil {
		return err
	}
	return p.items(&s, items)
}

// place reads 0 or orders/0.
func (p *parser) place(s *stream, word string) error {
	name, number, ok := strings.Cut(word, "/")
	if !ok {
		name, number = "", word
	}
	topic, err := p.topic(name)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(number, 10, 16)
	if err != nil || n < 0 {
		return fmt.Errorf("want the number of a partition, got %q", word)
	}
	s.Topic, s.Partition = topic, int32(n)
	if !p.declared[topic] {
		p.partitions[topic] = max(p.partitions[topic], int32(n)+1)
	}
	return nil
}

// clauses reads what stands between the series and the colon.
func (s *stream) clauses(words []string) error {
	since := noSince
	durations := map[string]*time.Duration{"from": &s.from, "step": &s.step, "late": &s.late, "skew": &s.skew, "since": &since}
	for len(words) > 0 {
		word, argument := words[0], ""
		words = words[1:]
		if (durations[word] != nil || word == "value") && len(words) > 0 {
			argument, words = words[0], words[1:]
		}
		var err error
		switch word {
		case "from", "step", "late", "skew", "since":
			*durations[word], err = Duration(argument)
		case "totals":
			s.Cumulative = true
		case "value":
			s.Series.Value = argument
		case "dup":
			s.copies = 2
		case "spread":
			s.spread = true
		case "with":
			s.Series.With, words, err = fields(words)
		default:
			return fmt.Errorf("want from, step, late, skew, dup, spread, totals, since, value, with or a colon, got %q", word)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", word, err)
		}
	}
	if since != noSince {
		s.Since = &since
	}
	return s.check()
}

// noSince is what no duration is that is written.
const noSince = time.Duration(math.MinInt64)

func (s *stream) check() error {
	if s.late < 0 {
		return fmt.Errorf("late: samples cannot arrive before they are made; a clock that is ahead is skew +%s", -s.late)
	}
	if s.Since != nil && !s.Cumulative {
		return fmt.Errorf("since: says when totals began; write totals before it")
	}
	if s.Cumulative && s.spread {
		return fmt.Errorf("spread: a total is one point")
	}
	if s.step <= 0 {
		return fmt.Errorf("step: want a duration above 0, got %s", s.step)
	}
	return nil
}

// items appends what each item stands for, one step after the other.
func (p *parser) items(s *stream, words []string) error {
	at := s.from
	for _, word := range words {
		it, err := parseItem(word)
		if err != nil {
			return err
		}
		if it.value && s.Series.Value == "" {
			return fmt.Errorf("%s: say which field has the value, such as value took", word)
		}
		for i := range it.times {
			if err := p.arrive(s, at, it, i); err != nil {
				return fmt.Errorf("%s: %w", word, err)
			}
			if at += s.step; at < s.from {
				return fmt.Errorf("%s: the run is longer than 292 years", word)
			}
		}
	}
	return nil
}

// arrive appends what item it stands for in its step number i.
func (p *parser) arrive(s *stream, at time.Duration, it item, i int64) error {
	total, bad := it.total+i*it.totalStep, it.bad+i*it.badStep
	shift := waver(s.Line, at)
	total += int64(math.Round(shift * float64(it.totalWaver)))
	if total < 0 || bad < 0 {
		return fmt.Errorf("a count falls below 0 in step %d of the run", i+1)
	}
	if bad > total {
		return fmt.Errorf("%d of %d samples are bad in step %d of the run", bad, total, i+1)
	}
	if it.gap || total == 0 && !s.Cumulative {
		return nil
	}
	a := s.Arrival
	if s.Cumulative {
		if bad > 0 || it.value {
			return fmt.Errorf("a total is a number alone; what it counts is bad by the labels of its line")
		}
		a.Totals, total = float64(total), 1
	}
	if p.samples += total * int64(s.copies); p.samples > maxSamples {
		return fmt.Errorf("these are more than %d samples", maxSamples)
	}
	a.Total, a.Bad, a.From, a.To = total, bad, math.NaN(), math.NaN()
	if it.value {
		more := float64(i)*it.fromStep + shift*it.fromWaver
		if it.fromWaver == math.Trunc(it.fromWaver) {
			more = float64(i)*it.fromStep + math.Round(shift*it.fromWaver)
		}
		a.From, a.To = it.from+more, it.to+more
	}
	parts := []Arrival{a}
	if s.spread {
		parts = apart(a)
	}
	for j, part := range parts {
		made := at + time.Duration(j)*s.step/time.Duration(len(parts))
		part.Event, part.At = made+s.skew, made+s.late
		for range s.copies {
			p.arrivals = append(p.arrivals, part)
		}
	}
	return nil
}

// apart splits an arrival into its samples.
func apart(a Arrival) []Arrival {
	out := make([]Arrival, a.Total)
	for i := range out {
		one := a
		one.Total, one.Bad = 1, 0
		if int64(i) >= a.Total-a.Bad {
			one.Bad = 1
		}
		one.From = a.value(int64(i))
		one.To = one.From
		out[i] = one
	}
	return out
}
