package evaluate

import (
	"time"

	"github.com/flyball-io/flyball"
)

// quietFor is how far behind the others a source may be and still be waited for;
// one further behind has nothing to say.
const quietFor = 10 * time.Minute

// Progress is how far event time has come in this partition: every finding up to
// then is out. It is the lowest watermark of the sources that are not quiet, NoTime
// before the first.
func (m *Machine) Progress() flyball.Time {
	latest := flyball.NoTime
	for _, s := range m.cfg.Sources {
		latest = max(latest, m.Watermark(s.Name))
	}
	progress := latest
	for _, s := range m.cfg.Sources {
		if at := m.Watermark(s.Name); at != flyball.NoTime && at >= latest.Add(-quietFor) {
			progress = min(progress, at)
		}
	}
	return progress
}
