package spec

// Metadata names a document.
type Metadata struct {
	// Name identifies the object among those of its kind: letters, digits and
	// . _ - / in it.
	Name string `yaml:"name" required:"true"`
	// DisplayName is for people.
	DisplayName string `yaml:"displayName,omitempty"`
	// Labels are free text for people and tools; Flyball does not read them. A
	// value is text or, in OpenSLO documents, a list of texts.
	Labels map[string]any `yaml:"labels,omitempty"`
	// Annotations are free text for tools; those that start with flyball.dev/ are
	// read by Flyball.
	Annotations map[string]string `yaml:"annotations,omitempty"`
}
