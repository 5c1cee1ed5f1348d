package rows

import "github.com/flyball-io/flyball/ingest"

// Enum holds the codes of the texts of a protobuf enum.
type Enum struct {
	Texts []string // by number
	codes []uint32
}

// Intern looks the codes up for a column of a dictionary.
func (e *Enum) Intern(d *ingest.Dictionary, column int) {
	e.codes = e.codes[:0]
	for _, text := range e.Texts {
		e.codes = append(e.codes, d.Code(column, []byte(text)))
	}
}

// Code returns the code of number n; one that this release does not know is
// shown as the first.
func (e *Enum) Code(n int32) uint32 {
	if uint32(n) >= uint32(len(e.codes)) {
		n = 0
	}
	return e.codes[n]
}
