//go:build race

package remediation

// lawRecords is how long the logs of laws are at most.
const lawRecords = 12
