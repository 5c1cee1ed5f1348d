package gate

import "strings"

// dependency suppresses what is better mended further up: something that the service
// needs has open findings itself.
type dependency struct{}

func (dependency) Name() string { return NameDependency }

func (dependency) Judge(c *Case) (bool, string) {
	switch {
	case c.World.Unknown != "":
		return false, c.World.Unknown
	case c.Service == "" && c.Compensates == "":
		return false, "the service is not known, so neither is what it needs"
	case c.Compensates != "" || len(c.World.Upstream) == 0:
		return true, "nothing that " + c.Service + " needs has open findings"
	}
	return false, c.Service + " needs " + strings.Join(c.World.Upstream, ", and ")
}
