// Package starter is `flyball init`: it looks at a few records of a live topic, and
// writes a configuration to begin with, in which every choice is explained by what was
// seen. What it wrote is linted, and the same records are decoded with it, so that what
// would be measured is shown before anything runs.
package starter
