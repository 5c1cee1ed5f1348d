// Command fetch downloads the jars of the embedded Apache Kafka broker, once, and prints their folder.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/flyball-io/flyball/internal/embedded/apachekafka"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	libs, err := apachekafka.Fetch(ctx, apachekafka.FetchConfig{})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fetch:", err)
		os.Exit(1)
	}
	fmt.Println(libs)
}
