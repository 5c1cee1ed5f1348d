package main

import (
	"os"
	"testing"

	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }
