package openslo

import (
	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// Documents are those of OpenSLO's kinds in a configuration, in the order in which
// they were read.
type Documents struct {
	// Services, DataSources, SLIs and SLOs are the kinds that are read.
	Services    []*kind.Object[spec.Service]
	DataSources []*kind.Object[spec.DataSource]
	SLIs        []*kind.Object[spec.SLI]
	SLOs        []*kind.Object[spec.SLO]
	Policies    []*kind.Object[spec.AlertPolicy]
	Conditions  []*kind.Object[spec.AlertCondition]
	Targets     []*kind.Object[spec.AlertNotificationTarget]
	// Exclusions are of Flyball's own kind.
	Exclusions []*kind.Object[spec.Exclusion]

	excluded []Excluded // as they were compiled
}

// Excluded returns the exclusions that Compile made.
func (d *Documents) Excluded() []Excluded { return d.excluded }

// Context is what of the rest of the configuration SLOs build on.
type Context struct {
	// Decoder reads the specs of metric sources.
	Decoder strictyaml.Decoder
	// Names of all objects so far.
	Names kind.Names
	// Indicators by their names, those with problems too.
	Indicators map[string]*kind.Indicator
	// SLOsOnly is set where counts come from elsewhere: what metric sources name need
	// not exist, and tiers that cannot fire are warnings.
	SLOsOnly bool
	// Receivers that SLOs may name; nil is that nobody knows.
	Receivers []string
}

// compiler is a compilation under way.
type compiler struct {
	*Documents
	Context
	sliOf map[string]*compiledSLI
}

// Compile returns the SLOs. What is wrong is reported to the documents; the SLOs
// are of use when no problem is an error.
func (d *Documents) Compile(ctx Context) []flyball.SLO {
	c := &compiler{Documents: d, Context: ctx, sliOf: map[string]*compiledSLI{}}
	c.compileSLIs()
	slos := c.compileSLOs()
	c.exclude(slos)
	return slos
}
