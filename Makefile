# SPDX-License-Identifier: BSD-3-Clause

GO       ?= go
TOOLS    := $(CURDIR)/.tools
LINT_VERSION := v2.15.0
LINT     := $(TOOLS)/golangci-lint-$(LINT_VERSION)
FUZZTIME ?= 30s
DAGRE    := internal/layout/testdata/dagre
MERMAID  := internal/rendertest/testdata/mermaid
PAGE     := internal/page
SYSTEMS  := linux/amd64 linux/arm64 linux/386 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 freebsd/amd64 freebsd/arm64 openbsd/amd64
BUILT    := darwin/arm64 windows/amd64 freebsd/amd64 openbsd/amd64

.DEFAULT_GOAL := help
.PHONY: help build demo check fmt lint lintall vet tidy cross test lab guarantee fuzz golden bench \
	mermaid dagre page gallery man completions deb image rootfs release reproducible clean

help: ## say what the targets do
	@grep -hE '^[a-z ]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z ]+):.*## /  \1\t/' | expand -t 20

build: ## build ./traceflow, static
	CGO_ENABLED=0 $(GO) build -trimpath -o traceflow ./cmd/traceflow

demo: build ## trace through a network of kernels with ECMP, made in a user namespace
	CGO_ENABLED=0 $(GO) build -trimpath -o .tools/lab ./internal/netlab/lab
	@echo; echo "The network: every node is a kernel in a namespace of its own."
	@.tools/lab -topology d
	@echo; echo "traceflow dst:"
	@.tools/lab -topology d -- ./traceflow -n --quiet --seed 1 {dst}
	@echo; echo "traceflow dst, without any privilege, IPv6:"
	@.tools/lab -topology d -as-user -- ./traceflow -n --quiet --seed 1 {dst6}

check: fmt lint vet tidy cross test lab ## everything that has to pass

fmt: $(LINT) ## fail if a file is not formatted
	@out=$$($(LINT) fmt --diff); if [ -n "$$out" ]; then echo "$$out"; echo "run: $(LINT) fmt"; exit 1; fi

lint: $(LINT) ## linters, the rules on imports among them
	$(LINT) run --allow-parallel-runners ./...

lintall: lint ## the same for the files of other systems
	@for s in darwin freebsd windows; do \
		echo "lint $$s"; GOOS=$$s CGO_ENABLED=0 $(LINT) run --allow-parallel-runners ./probe ./internal/cli || exit 1; \
	done

$(LINT):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	@mv $(TOOLS)/golangci-lint $(LINT)

vet: ## go vet, the lab's tests included
	$(GO) vet ./...
	$(GO) vet -tags lab,bench ./...

tidy: ## fail if go.mod or go.sum is not tidy
	$(GO) mod tidy -diff

cross: ## check the types of everything for every system, tests included, and build the command once for each
	$(GO) run ./internal/portable $(SYSTEMS)
	@for s in $(BUILT); do \
		echo "build $$s"; \
		GOOS=$${s%/*} GOARCH=$${s#*/} CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/traceflow || exit 1; \
	done

dagre: $(DAGRE)/node_modules ## the layout that a test compares with, from npm

$(DAGRE)/node_modules: $(DAGRE)/package-lock.json
	cd $(DAGRE) && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

mermaid: $(MERMAID)/node_modules ## what tests read Mermaid charts with, from npm

$(MERMAID)/node_modules: $(MERMAID)/package-lock.json
	cd $(MERMAID) && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

page: $(PAGE)/node_modules ## bundle the script and the style of --format html, with npm
	cd $(PAGE) && npm run --silent check && npm run --silent bundle

$(PAGE)/node_modules: $(PAGE)/package-lock.json
	cd $(PAGE) && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

test: ## tests that need nothing: with the race detector, and packages with long ones whole without
	$(GO) test -race -short -shuffle=on ./...
	$(GO) test -shuffle=on $$(grep -rl --include='*_test.go' 'testing\.Short()' . | xargs -n 1 dirname | sort -u)

lab: ## tests on real kernels and TUN devices; TRACEFLOW_LAB=require forbids skips
	$(GO) test -tags lab -count=1 -timeout 30m -parallel 8 ./probe ./internal/simnet ./internal/netlab/... ./internal/e2e
	$(GO) test -tags lab -count=1 -timeout 30m ./packaging/...

guarantee: ## all runs that test what is said about links not seen; takes a while
	TRACEFLOW_GUARANTEE=full $(GO) test -count=1 -timeout 2h -v -run 'Guarantee|ExactMiss|SequentialPorts|Models|Cost' ./discover

fuzz: ## every fuzz target for FUZZTIME
	@for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep ^Fuzz); do \
			echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
		done; \
	done

golden: ## write the golden files again; review the diff
	$(GO) test ./internal/cli ./internal/tui ./render -update

bench: ## benchmarks, and the figures of the README, each beside what it must reach
	$(GO) test -run '^$$' -bench . -benchmem ./packet ./probe ./internal/simnet ./internal/layout ./internal/picture
	$(GO) test -tags lab,bench -count=1 -timeout 30m -v -run Bench ./internal/e2e

screenshot: build ## the picture of the live screen, docs/images/tui.svg; needs tmux, takes a minute
	$(GO) run ./internal/tui/screenshot

gallery: build ## photograph the page for networks of every kind, to look at before a release; needs chromium
	CGO_ENABLED=0 $(GO) build -trimpath -o .tools/lab ./internal/netlab/lab
	$(GO) run ./internal/gallery

man completions: ## the manual page; the completions: into ./dist
	$(GO) run ./packaging/release $@

deb image rootfs: ## a Debian package; a container image; what packaging/Dockerfile adds: into ./dist
	$(GO) run ./packaging/release -platforms linux/$$($(GO) env GOARCH) $@

release: ## everything that users install, for every system, with checksums, into ./dist
	rm -rf dist
	$(GO) run ./packaging/release

reproducible: ## make the release of the last commit twice, from nothing, and compare; takes a while
	@t=$$(mktemp -d) && trap 'rm -rf "$$t"' EXIT && for n in 1 2; do \
		git clone --quiet . $$t/$$n && \
		(cd $$t/$$n && GOCACHE=$$t/cache$$n $(GO) run ./packaging/release) >/dev/null || exit 1; \
	done && diff $$t/1/dist/SHA256SUMS $$t/2/dist/SHA256SUMS && cat $$t/1/dist/SHA256SUMS

clean: ## remove what was built
	rm -rf traceflow dist .tools
