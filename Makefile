# Every task of the project. CI runs .ci/run, which runs lint, test and test-kafka.

GO       ?= go
BIN      := bin/flyball
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 10m
CHAOS_FAULTS ?= 1000
OVERLOAD ?= 10m
BOMB     ?= 10000000
# Data that tests read but the project does not hold; tests that need it are
# skipped, and say so, where it is absent.
FLYBALL_SHARED ?= $(abspath ../shared)
export FLYBALL_SHARED

.PHONY: docs reference sbom build peers dev test laws test-kafka test-ui test-collector test-deploy release lint fuzz bench bench-peers bench-evaluate bench-growth bench-latency bench-report bench-storage clickhouse kafka cc accuracy-canary accuracy-nab simulate-scale clean help chaos overload

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "%-12s %s\n", $$1, $$2}'

build: ## build bin/flyball
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/flyball

clickhouse: ## fetch the embedded ClickHouse library, once
	@$(GO) run ./internal/embedded/chdb/fetch >/dev/null

kafka: ## fetch Apache Kafka for the integration suite, once
	@$(GO) run ./internal/embedded/apachekafka/fetch >/dev/null

dev: build clickhouse ## run the simulated shop; DEV_ARGS="--duration 90s -o json" passes arguments
	@exec $(BIN) dev $(DEV_ARGS)

# The race detector needs a C compiler.
cc:
	@command -v cc >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq gcc libc6-dev >&2; } || \
		{ echo "the race detector needs a C compiler: apt-get install gcc libc6-dev" >&2; exit 1; }

# The crash tests run the roles against a broker in virtual time, which needs the
# tag; without the race detector they come to every step, scenarios run in all ways
# that must not matter, and laws draw five times as many cases. CRASH_SEEDS=n runs more.
#
# Laws draw the same cases every time, so that a change is judged by what it changes;
# make laws draws others.
LAWS = $$($(GO) list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... | grep pgregory.net/rapid | cut -d ' ' -f 1)
LAW_SEED ?= 1
LAW_CASES ?= 2000

test: cc clickhouse ## run all tests with the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 15m $$($(GO) list ./... | grep -vxF "$(LAWS)")
	CGO_ENABLED=1 $(GO) test -race -timeout 15m $(LAWS) -rapid.seed=$(LAW_SEED)
	$(GO) test -count=1 -timeout 15m -tags synctests ./internal/crash ./internal/scenario ./examples
	$(GO) test -count=1 -timeout 15m -tags synctests ./processors/evaluate -rapid.seed=$(LAW_SEED)

laws: clickhouse ## run the laws with LAW_CASES cases each, drawn anew
	$(GO) test -count=1 -timeout 1h $(LAWS) -rapid.checks=$(LAW_CASES)

test-kafka: cc kafka clickhouse ## run the end-to-end suite against a real Apache Kafka
	CGO_ENABLED=1 FLYBALL_TEST_KAFKA=1 $(GO) test -count=1 -timeout 15m ./internal/embedded/apachekafka/... ./internal/e2e/... ./internal/chaos/...

AXE := 4.14.1
# What the browser shows is kept in screenshots/. Without Chromium the test is skipped, and
# says so; without axe-core only names are checked.
test-ui: clickhouse ## drive the web UI of flyball dev in a real Chromium
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; } || \
		echo "there is no Chromium, and it cannot be installed here: apt-get install chromium" >&2
	@[ -f .cache/axe/package/axe.min.js ] || { mkdir -p .cache/axe && cd .cache/axe && npm pack --silent axe-core@$(AXE) >/dev/null && tar xzf axe-core-$(AXE).tgz; } || \
		echo "axe-core cannot be fetched" >&2
	FLYBALL_TEST_UI=1 FLYBALL_SCREENSHOTS=$(CURDIR)/screenshots $(GO) test -count=1 -timeout 10m -v ./internal/ui/browser

# A module of its own: the first build of the Collector takes minutes.
test-collector: ## send telemetry through the OpenTelemetry Collector and the official SDK
	cd internal/e2e/collector && $(GO) vet ./... && CGO_ENABLED=0 $(GO) test -count=1 -timeout 15m ./...

# A module of its own: Helm's library brings a hundred others.
test-deploy: ## render the Helm chart and read the Compose file by their own libraries
	cd deploy/check && $(GO) vet ./... && $(GO) test -count=1 -timeout 15m ./...

# The modules that are in the program, from the program: what is only tested with is not.
sbom: build ## write the bill of materials of bin/flyball, CycloneDX, into dist/
	@mkdir -p dist
	$(GO) run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0 bin -json -output dist/flyball.cdx.json $(BIN)

release: ## build archives, packages and their bills of materials into dist/, without publishing
	$(GO) run github.com/goreleaser/goreleaser/v2@v2.18.2 release --clean --snapshot

# A site of pages that can be opened without a server. Without Python or the registry it
# cannot be built.
docs: ## build docs/ as a site, into .cache/site; a link that leads nowhere fails
	@[ -x .cache/site-venv/bin/mkdocs ] && cmp -s internal/site/requirements.txt .cache/site-venv/requirements.txt || { \
		rm -rf .cache/site-venv && python3 -m venv .cache/site-venv && \
		.cache/site-venv/bin/pip install --quiet --disable-pip-version-check -r internal/site/requirements.txt && \
		cp internal/site/requirements.txt .cache/site-venv/requirements.txt; }
	NO_MKDOCS_2_WARNING=1 .cache/site-venv/bin/mkdocs build --quiet --strict -f internal/site/mkdocs.yml
	@echo "open .cache/site/index.html"

reference: ## write docs/reference and docs/images anew, from the types and the judges
	$(GO) run ./internal/reference docs/reference
	$(GO) run ./internal/pictures docs/images

lint: build ## formatting, vet, staticcheck, the rules of the house and known vulnerabilities
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test -count=1 ./internal/lint
	@out=$$($(GO) tool govulncheck -mode binary $(BIN) 2>&1); case $$? in \
		0) ;; \
		3) echo "$$out"; exit 1 ;; \
		*) echo "govulncheck: nothing is known of vulnerabilities: $$(echo "$$out" | tail -n 1)" ;; \
	esac

fuzz: ## run every fuzz target for FUZZTIME
	@for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg || exit 1; \
		done; \
	done

bench: build clickhouse ## measure; writes benchmarks/out/bench.json
	$(GO) run ./benchmarks/bench

# Linux only: engines are bound to processors by taskset.
PEERS := benchmarks/peers
peers: build kafka ## build the other stream processors of the comparison
	@command -v mvn >/dev/null && command -v taskset >/dev/null || { echo "the comparison needs a Java 17 (or later) development kit, Maven and taskset: apt-get install openjdk-17-jdk-headless maven util-linux" >&2; exit 1; }
	mvn -q -B -C -f $(PEERS)/java/pom.xml package

bench-peers: peers ## run the same job on Kafka Streams, Flink and Flyball; writes benchmarks/out/peers.json; PEERS_ARGS="-engines flyball,flink"
	$(GO) build -o bin/bench-peers ./$(PEERS)
	bin/bench-peers $(PEERS_ARGS)

bench-evaluate: ## cost of a series in the evaluate role; writes benchmarks/out/evaluate.json; EVALUATE_ARGS="-series 1000"
	$(GO) run ./benchmarks/evaluate $(EVALUATE_ARGS)

bench-growth: ## cost of a span as its input grows; writes benchmarks/out/growth.{json,svg}; GROWTH_ARGS="-only series"
	$(GO) run ./benchmarks/growth $(GROWTH_ARGS)

bench-latency: build kafka ## time from a sample to the command, at several loads; writes benchmarks/out/latency.json
	$(GO) run ./benchmarks/latency $(LATENCY_ARGS)

bench-report: clickhouse ## time reports over a month of 1,000 SLOs; writes benchmarks/out/report.json
	$(GO) run ./benchmarks/report $(REPORT_ARGS)

bench-storage: clickhouse ## weigh tables, columns and codecs; writes benchmarks/out/storage.json
	$(GO) run ./benchmarks/storage

chaos: build kafka ## CHAOS_FAULTS random faults on Apache Kafka; writes benchmarks/out/chaos.json; CHAOS_ARGS="-limit 30m -seed 2"
	$(GO) run ./benchmarks/chaos -faults $(CHAOS_FAULTS) $(CHAOS_ARGS)

overload: ## too fast for OVERLOAD, a label with BOMB values; writes benchmarks/out/{overload,bomb}.json
	FLYBALL_OVERLOAD=$(OVERLOAD) FLYBALL_BOMB=$(BOMB) $(GO) test -count=1 -timeout 2h -v -run 'Overload|CardinalityBomb' ./internal/e2e

simulate-scale: ## work out what loads of up to 10 M samples/s need; writes benchmarks/out/scale.json
	$(GO) run ./benchmarks/scale

accuracy-canary: ## measure the canary judges; writes benchmarks/out/canary.json
	$(GO) run ./benchmarks/accuracy/canary

accuracy-nab: ## measure the anomaly detectors; writes benchmarks/out/nab.json
	$(GO) run ./benchmarks/accuracy/nab

clean: ## remove what was built
	rm -rf bin benchmarks/out
