// Package alarm turns surprise into alarms at a rate that is agreed on.
package alarm

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// Judge decides which news is an alarm. Surprise is measured by models of
// tails, and models can be wrong about a series; so an alarm needs news that is
// rare among the news of this very series. That makes the accepted number of
// alarms a week hold whatever its distribution and however detectors depend on
// each other.
type Judge struct {
	news tail.Upper // surprises of points, 0 for those that were no news
	// quiet is for how many points there was no alarm, pause for how many there
	// has to be none before the next.
	quiet, pause int
	// event is the greatest surprise of news that has come one upon the other, since for
	// how many points there was none as great. Only the greatest is learned, when it is
	// over: an incident that grows must not make its own end usual by its beginning.
	event float64
	since int
}

// leastExcess is the smallest mean excess of news to believe in, that of calibrated
// surprise.
const leastExcess = 1 / math.Ln10

// mostLesson is how rare an event is at most for what it teaches: incidents that come again
// and again remain incidents.
const mostLesson = 4

// New returns a judge that has seen nothing, forgets after one to two generations
// of so many points, and raises no alarm for pause points after one.
func New(generation, pause int) Judge {
	return Judge{news: tail.NewRobust(generation), quiet: pause, pause: pause}
}

// Observe returns how rare news is, in digits, and whether it is an alarm, which
// it is from threshold digits on; then it learns it. surprise is 0 for what is no
// news.
func (a *Judge) Observe(surprise, threshold float64) (rarity float64, alarm bool) {
	// Surprise is never rarer than it says, however quiet the series was.
	rarity = min(a.news.Digits(surprise, leastExcess), surprise)
	a.learn(surprise)
	if a.quiet < a.pause {
		a.quiet++
		return rarity, false
	}
	if alarm = rarity >= threshold; alarm {
		a.quiet = 0
	}
	return rarity, alarm
}

// learn takes in the news of a point, or that there was none.
func (a *Judge) learn(surprise float64) {
	lesson := 0.0
	switch {
	case surprise > a.event:
		a.event, a.since = surprise, 0
	case a.event > 0:
		if a.since++; a.since >= a.pause {
			lesson = min(a.event, a.news.Limit(mostLesson, leastExcess))
			a.event, a.since = 0, 0
		}
	}
	a.news.Add(lesson, 1)
}

// Code walks over the memory.
func (a *Judge) Code(c *snapshot.Codec) {
	a.news.Code(c)
	c.Count(&a.quiet)
	c.Float64(&a.event)
	c.Count(&a.since)
}
