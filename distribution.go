package flyball

// Numeric fields that are not attributes. The value of a span is its duration; that
// of a data point of a metric is Value as its sender has it, and Duration in
// nanoseconds where its unit is a time.
const (
	FieldValue    = "value"
	FieldDuration = "duration"
)

// Distribution is a histogram as a sender made it: what many samples measured. It has
// either explicit buckets (Buckets) or exponential ones; without any it only counts.
type Distribution struct {
	// Count of samples.
	Count uint64
	// Sum, Min and Max of what they measured, NaN where the sender does not say.
	Sum, Min, Max float64
	// Nanos is how many nanoseconds the unit has, 0 when it is not a time.
	Nanos float64
	// Bounds and Buckets: Buckets[i] samples above Bounds[i-1] and up to Bounds[i].
	// There is one bucket more than bounds.
	Bounds  []float64
	Buckets []uint64
	// Exponential says that the fields below hold the buckets, as in an
	// ExponentialHistogramDataPoint of OTLP.
	Exponential          bool
	Scale                int32
	Zero                 uint64
	ZeroThreshold        float64
	PosOffset, NegOffset int32
	Pos, Neg             []uint64
}

// StreamID identifies the stream of points that a cumulative one belongs to: a hash
// of everything that tells streams apart.
type StreamID struct{ Hi, Lo uint64 }
