// Command fetch makes sure that libchdb is in the cache and prints its path.
//
//	go run ./internal/embedded/chdb/fetch
//
// With FLYBALL_SKIP_CHDB=1 it does nothing and prints nothing.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/flyball-io/flyball/internal/embedded/chdb"
)

func main() {
	if os.Getenv(chdb.SkipEnv) == "1" {
		fmt.Fprintln(os.Stderr, "fetch: skipped, "+chdb.SkipEnv+"=1")
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	path, err := chdb.Fetch(ctx, chdb.FetchConfig{Progress: os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, "fetch:", err)
		os.Exit(1)
	}
	fmt.Println(path)
}
