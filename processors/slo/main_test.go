package slo

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if !slices.ContainsFunc(os.Args, func(a string) bool { return strings.Contains(a, "rapid.checks") }) {
		if err := flag.Set("rapid.checks", randomCases); err != nil {
			panic("BUG: " + err.Error())
		}
	}
	os.Exit(m.Run())
}
