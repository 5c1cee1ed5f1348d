// Package apachekafka runs a real Apache Kafka broker as a child process, for the integration suite,
// the benchmarks and the chaos runs. The in-process broker of package kfake is faster to start and
// can inject faults; this one shows what only the real one can: recovery from a crash, real fsync and
// network costs, and the exact behaviour of transactions and groups.
//
// # What is needed
//
// A Java 17 (or later) runtime, and on the first use Maven 3.6.3 (or later) with a Java development kit.
// pom.xml pins the version. The jars, about 45 MB, are fetched once into $FLYBALL_CACHE, or else into
// "flyball" in the user's cache folder, and put into place by one rename; processes that fetch at
// once wait for one of them. To fetch without starting anything:
//
//	go run ./internal/embedded/apachekafka/fetch
//
// which prints the folder of the jars.
//
// # One broker for a test binary
//
//	var kafka apachekafka.Shared
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(kafka.Wrap(m)) }
//
//	func TestSomething(t *testing.T) {
//		addr, prefix := kafka.Broker(t).Addr(), kafka.Prefix(t)
//		…
//	}
//
// Such tests are skipped unless FLYBALL_TEST_KAFKA=1. Topics, groups and transactional ids are
// put under the prefix, so that tests do not meet.
//
// # A broker of one's own
//
// Start runs one more broker, which may be stopped, killed by SIGKILL and restarted on the same folder and port:
//
//	b, err := apachekafka.Start(ctx, apachekafka.Config{Dir: t.TempDir()})
//	if err != nil {
//		t.Fatal(err)
//	}
//	t.Cleanup(b.Kill)
//	…
//	b.Kill()
//	err = b.Restart(ctx)
//
// The node is broker and controller at once (KRaft). Its internal topics have one replica, so
// transactions work. Four defaults differ from Kafka's for the sake of tests and can be set back by
// Config.Properties: new groups do not wait for more members, sessions of members may be as short
// as half a second, timed-out transactions are looked for every second instead of every ten, and the
// broker's own session with the controller is three seconds, which is how long a restart after
// SIGKILL has to wait before it may register again.
//
// On Linux the kernel kills the broker when the process that started it ends, however it ends. Elsewhere a
// test binary that is killed leaves its broker behind. The log is broker.log in the broker's folder;
// its tail is part of the error of a broker that did not come up.
package apachekafka
