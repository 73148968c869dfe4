# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Needs Go, GNU make and the usual Unix tools. Linter, generators and test runner are Go tools pinned in tools/go.mod.

GO_MIN   := 1.26
BINARY   := dist/otelcol-guardrail
BACKTEST := dist/guardrail-backtest
GATEWAY  := dist/otelcol-guardrail-gateway
LOGS     ?= testdata/quickstart
FUZZTIME ?= 20s
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
PROGRAMS ?= otelcol-guardrail otelcol-guardrail-gateway guardrail-backtest
export LOGS

TOOL := go tool -modfile="$(CURDIR)/tools/go.mod"
# Its YAML library is incompatible with the one that other tools need, so it stands outside tools/go.mod.
ACTIONLINT := go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

# Modules with code of our own, and all modules; the distributions in cmd are generated.
OWN_MODULES := . $(patsubst %/go.mod,%,$(wildcard cmd/guardrail-backtest/go.mod e2e/go.mod bench/go.mod))
MODULES     := $(OWN_MODULES) tools cmd/otelcol-guardrail cmd/otelcol-guardrail-gateway
TESTED      := . $(patsubst %/go.mod,%,$(wildcard cmd/guardrail-backtest/go.mod e2e/go.mod))
OWN_CODE    := $(wildcard connector processor internal)

# What the binaries are made of: everything below these but tests, mutants and documents.
SOURCES := $(sort $(shell find go.mod go.sum $(OWN_CODE) cmd/otelcol-guardrail cmd/otelcol-guardrail-gateway -type f \
	! -name '*_test.go' ! -name '*.md' ! -path '*/testdata/*' ! -path '*/mutants/*'))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

.PHONY: run
run: check-logs $(BINARY) ## run on the sample logs, or on yours: make run LOGS=folder
	@logs=$$(scripts/find-logs.sh "$$LOGS") && \
	echo "Watching $$logs" && \
	echo "Alerts are shown here and written to dist/alerts.json. Ctrl-C stops." && \
	exec scripts/run.sh $(BINARY) "$$logs"

# Before the build, which can take minutes.
.PHONY: check-logs
check-logs:
	@scripts/find-logs.sh "$$LOGS" >/dev/null

.PHONY: build
build: $(BINARY) ## build the collector, dist/otelcol-guardrail
	@echo "$(BINARY) is ready"

.PHONY: build-gateway
build-gateway: $(GATEWAY) ## build the collector for several machines, dist/otelcol-guardrail-gateway
	@echo "$(GATEWAY) is ready"

# Compiled under another name, so that an interrupted build leaves nothing behind that looks finished.
# Without VCS stamping: it fails where git does not trust the owner of the folder.
$(BINARY): $(filter-out cmd/otelcol-guardrail-gateway/%,$(SOURCES)) dist/.sources
$(GATEWAY): $(filter-out cmd/otelcol-guardrail/%,$(SOURCES)) dist/.sources
$(BINARY) $(GATEWAY):
	@scripts/check-go.sh $(GO_MIN)
	@echo "Building $@ (the first time takes 2 to 6 minutes)..."
	@cd cmd/$(@F) && \
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w" -o ../../$@.new . && \
	mv ../../$@.new ../../$@

.PHONY: backtest
backtest: check-logs $(BACKTEST) ## what would have been found in the sample logs, or in yours: make backtest LOGS=folder; writes dist/report.html
	@logs=$$(scripts/find-logs.sh "$$LOGS") && \
	$(BACKTEST) --html dist/report.html "$$logs" && \
	echo && echo "The report with plots is dist/report.html"

# Go itself knows what is stale; with nothing to do, this takes less than a second.
$(BACKTEST): FORCE
	@scripts/check-go.sh $(GO_MIN)
	@mkdir -p dist && cd cmd/guardrail-backtest && \
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w" -o ../../$@ .

# The names of the sources, touched only when they change: a deleted file, too, makes the binary stale.
dist/.sources: FORCE
	@mkdir -p dist
	@echo "$(SOURCES)" | cmp -s - $@ || echo "$(SOURCES)" > $@

.PHONY: test
test: check-go $(BINARY) $(GATEWAY) $(BACKTEST) ## run every test: unit, property, component, end-to-end against the built collectors
	@race=-race; \
	[ "$$(go env CGO_ENABLED)" = 1 ] || { race=; echo "No C compiler found: testing without the race detector"; }; \
	$(TOOL) gotestsum --format=pkgname --format-hide-empty-pkg --raw-command -- \
	scripts/test-json.sh "$$race -shuffle=on -count=1 -timeout=20m" $(TESTED)

.PHONY: coverage coverage-update
coverage: check-go ## check that the tests of each package execute as much of it as scripts/coverage.txt says
	@scripts/coverage.sh check . $(wildcard cmd/guardrail-backtest)

coverage-update: check-go ## write what the tests execute now to scripts/coverage.txt
	@scripts/coverage.sh update . $(wildcard cmd/guardrail-backtest)

.PHONY: vulncheck
vulncheck: check-go ## look for known vulnerabilities in the binaries' dependencies (asks vuln.go.dev)
	@failed=0; for program in otelcol-guardrail otelcol-guardrail-gateway guardrail-backtest; do \
		echo "vulncheck $$program"; \
		(cd cmd/$$program && $(TOOL) govulncheck ./...) || failed=1; \
	done; exit $$failed

# Once for each release, before it is tagged.
.PHONY: golden-state
golden-state: check-go $(BINARY) ## add the state that this version writes to those that later versions must read (e2e/testdata/state)
	cd e2e && go test -count=1 -run '^TestWriteStateForLaterVersions$$' . -write-state

.PHONY: ranges
ranges: ## write dist/ranges.yaml, which shares users out among N detectors (make ranges N=5; FROM=3 while three become five)
	@mkdir -p dist
	@scripts/ranges.sh $(N) $(FROM) > dist/ranges.yaml.new && mv dist/ranges.yaml.new dist/ranges.yaml
	@echo "dist/ranges.yaml is ready: lay it over config/scale-out/edge.yaml"

.PHONY: lint
lint: check-go tidy-check mutants-check ## check style, formatting, common mistakes, go.mod files and workflows
	@$(ACTIONLINT) .github/workflows/*.yml
	@failed=0; for module in $(OWN_MODULES); do \
		echo "lint $$module"; \
		(cd $$module && $(TOOL) golangci-lint run --config="$(CURDIR)/.golangci.yml" ./...) || failed=1; \
	done; exit $$failed

.PHONY: tidy-check
tidy-check: check-go ## check that every go.mod and go.sum is tidy (part of lint)
	@failed=0; for module in $(MODULES); do \
		(cd $$module && go mod tidy -diff) || { echo "$$module: go.mod or go.sum is not tidy; run 'go mod tidy' there" >&2; failed=1; }; \
	done; exit $$failed

# To try them takes a quarter of an hour: make mutants.
.PHONY: mutants-check
mutants-check: ## check that the kept mutants still apply to the code (part of lint)
	@failed=0; for patch in internal/*/mutants/*.patch; do \
		git apply --check $$patch || { echo "$$patch: no longer applies; make it anew" >&2; failed=1; }; \
	done; exit $$failed

.PHONY: fmt
fmt: check-go ## format the Go code
	@set -e; for module in $(OWN_MODULES); do \
		(cd $$module && $(TOOL) golangci-lint fmt --config="$(CURDIR)/.golangci.yml" ./...); \
	done

.PHONY: generate
generate: check-go ## regenerate code, documentation, sample logs, the picture of a report, and the distribution's sources
	scripts/set-version.sh
	go generate ./...
	go run ./cmd/samplelogs
	cd cmd/guardrail-backtest && go run ./genpicture
	scripts/ranges.sh 3 > config/scale-out/ranges.yaml
	$(TOOL) builder --config=builder-config.yaml --skip-compilation --skip-strict-versioning=false
	$(TOOL) builder --config=builder-config-gateway.yaml --skip-compilation --skip-strict-versioning=false

.PHONY: generate-check
generate-check: ## check that everything generated is up to date
	@scripts/generate-check.sh $(MAKE) --no-print-directory generate

.PHONY: upgrade
upgrade: check-go ## move to another version of the collector: make upgrade COLLECTOR=0.158.0
	@scripts/upgrade.sh "$(COLLECTOR)" $(OWN_MODULES) tools
	@$(MAKE) --no-print-directory generate
	@set -e; for module in cmd/otelcol-guardrail cmd/otelcol-guardrail-gateway; do (cd $$module && go mod tidy); done
	@echo "What is left to do by hand is in CONTRIBUTING.md, \"Moving to another version of the collector\""

.PHONY: release
release: check-go ## build what is released, in dist/release: archives for each platform, sources, bills of materials, checksums
	@scripts/release.sh dist/release "$(PLATFORMS)" "$(PROGRAMS)"
	@echo "The release is in dist/release"

# One program is enough to notice what depends on place or time; it shares its packages with the others.
.PHONY: release-check
release-check: check-go ## check that two builds of a release, made in different places, are equal byte for byte
	@scripts/release-check.sh guardrail-backtest

.PHONY: fuzz
fuzz: check-go ## run every fuzz target for FUZZTIME each (20s)
	@scripts/fuzz.sh $(FUZZTIME) $(OWN_CODE)
	@cd cmd/guardrail-backtest && ../../scripts/fuzz.sh $(FUZZTIME) internal

.PHONY: soak
soak: check-go $(BINARY) $(GATEWAY) ## the long tests: 10,000 streams of each kind of window, every crash, 100 kills, ten minutes of mixed load (an hour)
	go test ./internal/detect -run 'Streams$$|^TestMemoryHolds|^TestRestarted' -streams=10000 -timeout=2h -v
	go test ./internal/lastguarded -groups=10000000 -v
	go test ./internal/engine -run TestCrash -every-crash -timeout=1h -v
	cd cmd/guardrail-backtest && go test ./internal/backtest -run Month -records=10000000 -timeout=1h -v
	cd e2e && go test -count=1 -timeout=1h -run 'Crash|Kills' -v . -kills=100 -terms=20
	cd e2e && go test -count=10 -timeout=1h -run '^Test(Detectors|EndsOf|EdgesThatKeepNothingLose|MovingSharesByTheRecipe)' -v .
	cd e2e && go test -count=1 -timeout=2h -run '^TestSoak$$' -v . -soak=10m

# Patches first, a quarter of an hour; then gremlins.
.PHONY: mutants
mutants: check-go ## check that tests notice mutations of detection, journal and delivery (hours)
	@scripts/mutants.sh internal/detect
	@scripts/mutants.sh internal/engine
	@scripts/gremlins.sh

# Each step stands alone; the comparison with other components comes last and takes the longest.
.PHONY: bench
bench: check-go ## run the benchmarks, and compare with other components (a quarter of an hour; writes bench/RESULTS.md)
	go test -run='^$$' -bench=. -benchmem ./internal/detect
	go test -run='^$$' -bench=. -benchmem ./internal/engine
	go test -run='^$$' -bench=. -benchmem ./internal/state
	cd bench && go build -o ../dist/bench . && ../dist/bench -o RESULTS.md

.PHONY: bench-check
bench-check: check-go ## check that no comparison in process has fallen back by half (two minutes)
	cd bench && go build -o ../dist/bench . && ../dist/bench -check

.PHONY: clean
clean: ## remove dist/
	rm -rf dist

.PHONY: check-go
check-go:
	@scripts/check-go.sh $(GO_MIN)

.PHONY: FORCE
FORCE:
