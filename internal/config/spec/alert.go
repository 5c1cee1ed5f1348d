package spec

// AlertPolicy is the spec of OpenSLO's kind AlertPolicy: when an SLO raises a
// finding, and who is to know.
type AlertPolicy struct {
	// Description is for people.
	Description string `yaml:"description,omitempty"`
	// AlertWhenNoData raises a finding when samples cease to come.
	AlertWhenNoData bool `yaml:"alertWhenNoData,omitempty"`
	// AlertWhenResolved makes no difference: every finding says when it is resolved.
	AlertWhenResolved bool `yaml:"alertWhenResolved,omitempty"`
	// AlertWhenBreaching is whether the conditions are used at all.
	AlertWhenBreaching bool `yaml:"alertWhenBreaching" default:"true"`
	// Conditions holds one condition, by name or in place.
	Conditions []ConditionRef `yaml:"conditions" required:"true"`
	// NotificationTargets are who is to know, by name or in place.
	NotificationTargets []TargetRef `yaml:"notificationTargets,omitempty"`
}

// ConditionRef is a condition by name or in place.
type ConditionRef struct {
	// ConditionRef names an AlertCondition.
	ConditionRef string `yaml:"conditionRef,omitempty"`
	// Kind is AlertCondition, where it is in place.
	Kind string `yaml:"kind,omitempty"`
	// APIVersion is openslo/v1, where it is in place.
	APIVersion string `yaml:"apiVersion,omitempty"`
	// Metadata names it.
	Metadata InlineMetadata `yaml:"metadata,omitempty"`
	// Spec is that of an AlertCondition.
	Spec *AlertCondition `yaml:"spec,omitempty"`
}

// AlertCondition is the spec of OpenSLO's kind AlertCondition.
type AlertCondition struct {
	// Description is for people.
	Description string `yaml:"description,omitempty"`
	// Severity is page or ticket; critical, high and the like are pages, the other
	// usual words tickets.
	Severity string `yaml:"severity" required:"true"`
	// Condition is what must hold.
	Condition BurnRate `yaml:"condition" required:"true"`
}

// BurnRate is a condition on the burn rate of an error budget.
type BurnRate struct {
	// Kind is burnrate.
	Kind string `yaml:"kind" default:"burnrate" enum:"burnrate"`
	// Op compares the burn rate with the threshold: gt or gte. lt and lte, which
	// OpenSLO's own example has, are read as gt and gte.
	Op string `yaml:"op" default:"gt" enum:"gt|gte|lt|lte"`
	// Threshold is the burn rate, 1 being what uses up the budget in the period.
	Threshold Decimal `yaml:"threshold" required:"true"`
	// LookbackWindow is over how long the rate is taken.
	LookbackWindow Duration `yaml:"lookbackWindow" required:"true" min:"1s" max:"366d"`
	// AlertAfter is for how long the condition must hold.
	AlertAfter Duration `yaml:"alertAfter,omitempty" max:"7d"`
}

// TargetRef is a notification target by name or in place.
type TargetRef struct {
	// TargetRef names an AlertNotificationTarget.
	TargetRef string `yaml:"targetRef,omitempty"`
	// Kind is AlertNotificationTarget, where it is in place.
	Kind string `yaml:"kind,omitempty"`
	// APIVersion is openslo/v1, where it is in place.
	APIVersion string `yaml:"apiVersion,omitempty"`
	// Metadata names it.
	Metadata InlineMetadata `yaml:"metadata,omitempty"`
	// Spec is that of an AlertNotificationTarget.
	Spec *AlertNotificationTarget `yaml:"spec,omitempty"`
}

// AlertNotificationTarget is the spec of OpenSLO's kind of that name.
type AlertNotificationTarget struct {
	// Description is for people.
	Description string `yaml:"description,omitempty"`
	// Target is what kind of receiver it is, such as email or slack.
	Target string `yaml:"target" required:"true"`
}

// InlineAlertPolicy is an AlertPolicy inside of an SLO.
type InlineAlertPolicy struct {
	// AlertPolicyRef names an AlertPolicy, instead.
	AlertPolicyRef string `yaml:"alertPolicyRef,omitempty"`
	// APIVersion is openslo/v1.
	APIVersion string `yaml:"apiVersion,omitempty"`
	// Kind is AlertPolicy.
	Kind string `yaml:"kind,omitempty"`
	// Metadata may name it.
	Metadata InlineMetadata `yaml:"metadata,omitempty"`
	// Spec is that of an AlertPolicy.
	Spec *AlertPolicy `yaml:"spec,omitempty"`
}
