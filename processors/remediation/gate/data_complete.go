package gate

// dataComplete holds commands that would rest on a part of the telemetry: a source
// was missing when the finding was made.
type dataComplete struct{}

func (dataComplete) Name() string { return "data_complete" }

func (dataComplete) Judge(c *Case) (bool, string) {
	if c.Finding.Incomplete {
		return false, "a source of the finding's data was missing"
	}
	return true, "all sources had reported"
}
