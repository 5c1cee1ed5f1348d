package anomaly

import "fmt"

// Kind names an algorithm.
type Kind uint8

// The algorithms. Each is described in its own file.
const (
	None Kind = iota
	Season
	Spike
	Level
	Step
	Sustained
	Record
	Sequence
	Variance
	Shift
	Drift
	Stuck
	Silence
	Flapping
	Saturation
	kinds
)

// name returns the name that commands and configurations use.
func (k Kind) name() string {
	return [...]string{
		"none", "season", "spike", "level", "step", "sustained", "record", "sequence",
		"variance", "shift", "drift", "stuck", "silence", "flapping", "saturation",
	}[k]
}

// String returns the name of k.
func (k Kind) String() string {
	if k >= kinds {
		return fmt.Sprintf("Kind(%d)", uint8(k))
	}
	return k.name()
}

// KindNamed returns the algorithm of a name.
func KindNamed(name string) (Kind, error) {
	for k := None + 1; k < kinds; k++ {
		if k.name() == name {
			return k, nil
		}
	}
	return None, fmt.Errorf("unknown detector %q", name)
}

// Kinds returns every algorithm.
func Kinds() []Kind {
	var list []Kind
	for k := None + 1; k < kinds; k++ {
		list = append(list, k)
	}
	return list
}
