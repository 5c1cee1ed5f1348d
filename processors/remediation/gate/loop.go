package gate

import "fmt"

// loop keeps a rule from answering what its own command did, and cuts chains of
// operations that cause each other.
type loop struct{}

func (loop) Name() string { return "loop" }

func (loop) Judge(c *Case) (bool, string) {
	if c.Compensates != "" {
		return true, "it undoes operation " + c.Compensates
	}
	for _, k := range c.World.Causes {
		if k.Rule == c.Rule.Name && !k.Failed {
			return false, "the finding opened during operation " + k.Operation + " of the same rule on " + k.Target
		}
	}
	if n := c.World.Depth; n >= maxDepth {
		return false, fmt.Sprintf("the finding is the end of a chain of %d operations, each begun for what opened during the one before", n)
	}
	return true, fmt.Sprintf("%d of our own operations may have caused it", len(c.World.Causes))
}

// maxDepth is how long a chain of operations may get.
const maxDepth = 3
