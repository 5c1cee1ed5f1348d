package kind

import "github.com/flyball-io/flyball/internal/config/strictyaml"

// The codes of problems that go beyond one field.
const (
	CodeUnknownVersion    strictyaml.Code = "unknown_api_version"
	CodeUnknownKind       strictyaml.Code = "unknown_kind"
	CodeIgnored           strictyaml.Code = "ignored"            // read and not used
	CodeInvalidName       strictyaml.Code = "invalid_name"       // a name with characters that no name has
	CodeDuplicateName     strictyaml.Code = "duplicate_name"     // two objects of one kind and name
	CodeDuplicateItem     strictyaml.Code = "duplicate_item"     // the same item twice in a list
	CodeEmptyList         strictyaml.Code = "empty_list"         // a list written without an item
	CodeUnknownReference  strictyaml.Code = "unknown_reference"  // a name that nothing has
	CodeUnknownLabel      strictyaml.Code = "unknown_label"      // a label that the source or indicator does not give
	CodeUnknownValue      strictyaml.Code = "unknown_value"      // a numeric field that the source does not give
	CodeInvalidMatcher    strictyaml.Code = "invalid_matcher"    // a matcher that cannot be read
	CodeInvalidExpression strictyaml.Code = "invalid_expression" // a condition that cannot be read
	CodeInvalidTemplate   strictyaml.Code = "invalid_template"   // a text with a place that cannot be filled
	CodeInvalidTiers      strictyaml.Code = "invalid_tiers"      // an annotation of tiers that cannot be read
	CodeNotMultiple       strictyaml.Code = "not_multiple"       // a width that is no multiple of the pane
	CodeNoName            strictyaml.Code = "no_name"            // a filter that does not say what is measured
	CodeNotForFormat      strictyaml.Code = "not_for_format"     // a field of another format
	CodeUnsupported       strictyaml.Code = "unsupported"        // OpenSLO has it, Flyball does not
	CodeConflict          strictyaml.Code = "conflict"           // two fields that contradict each other
	CodeUnreachableTier   strictyaml.Code = "unreachable_tier"   // a tier that cannot fire
	CodeEagerTier         strictyaml.Code = "eager_tier"         // a tier that fires while the objective is met
	CodeNeverBad          strictyaml.Code = "never_bad"          // an SLO on samples of which none is bad
	CodeUnused            strictyaml.Code = "unused"             // nothing builds on it
	CodeUnusual           strictyaml.Code = "unusual"            // allowed, and seldom meant
)
