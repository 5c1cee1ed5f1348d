package anomaly

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// alarms decides which news is an alarm. Surprise is measured by models of
// tails, and models can be wrong about a series; so an alarm needs news that is
// rare among the news of this very series. That makes the accepted number of
// alarms a week hold whatever its distribution and however detectors depend on
// each other.
type alarms struct {
	news tail.Upper // surprises of points, 0 for those that were no news
	// excused counts incidents of this generation that were not learned.
	excused int
	// quiet is for how many points there was no alarm.
	quiet int
}

const (
	// alarmMargin, in digits, keeps the number of alarms on the low side.
	alarmMargin = 0.05
	// News far beyond all other is an incident and not chance: it is not learned,
	// or the next incident would have to exceed it. After alarmExcused of them in
	// a generation they are what the series does.
	alarmDoubtless = 5 // digits of surprise at least
	alarmBeyond    = 1 // digits rarer than a record
	alarmExcused   = 10
)

func newAlarms(cfg *Config) alarms {
	return alarms{news: tail.NewRank(cfg.Generation), quiet: cfg.Quiet}
}

// judge returns how rare news is and whether it is an alarm, and learns it.
// surprise is 0 for what is no news.
func (a *alarms) judge(surprise, threshold float64, cfg *Config) (rarity float64, alarm bool) {
	rarity = a.news.Digits(surprise, 0)
	record := math.Log10(float64(a.news.Seen() + 1))
	if surprise > alarmDoubtless && rarity > record+alarmBeyond && a.excused < alarmExcused {
		a.excused++
	} else if a.news.Add(surprise) {
		a.excused = 0
	}
	rarity = max(0, min(rarity-alarmMargin, MaxDigits))
	if a.quiet < cfg.Quiet {
		a.quiet++
		return rarity, false
	}
	if alarm = rarity >= threshold; alarm {
		a.quiet = 0
	}
	return rarity, alarm
}

func (a *alarms) code(c *snapshot.Codec) {
	a.news.Code(c)
	c.Count(&a.excused)
	c.Count(&a.quiet)
}
