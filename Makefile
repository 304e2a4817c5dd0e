# Heartmark: what to type. Each target works on a fresh clone and prints what it needs.
SHELL   := /bin/sh
GO      ?= go
TOOL    := $(GO) tool -modfile=tools/go.mod
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X heartmark/internal/app.version=$(VERSION)
FUZZTIME ?= 20s
DATA    ?= ../shared/data

.PHONY: help deps wasm build verifier demo run test vet unit race interop browser crash lint fmt vuln fuzz bench bench-node evaluate model clean

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

deps: ## obtain the ONNX Runtime library by package name into .deps, checked against its pinned digest
	@sh scripts/deps.sh

wasm: ## build the verifier for browsers, which the program embeds
	@GO='$(GO)' sh scripts/wasm.sh

build: wasm ## build bin/heartmark
	@mkdir -p bin
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/heartmark ./cmd/heartmark

verifier: ## build bin/heartmark-verify, the off-line verifier: one static program
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/heartmark-verify ./cmd/heartmark-verify

demo: deps build ## run the main job end to end on sample conversations; leaves its files in demo-out
	bin/heartmark demo --out demo-out

run: deps build ## start a development server with pages on http://localhost:8080
	bin/heartmark keys kek --if-missing --config deploy/development.yaml
	@test -s .data/secrets/api-key || (umask 077; bin/heartmark keys api --scope assess,consent,issue,subjects,verify,policies,keys --config deploy/development.yaml >.data/secrets/api-key)
	@echo "API key of the tenant demo: .data/secrets/api-key"
	bin/heartmark serve --config deploy/development.yaml

test: deps wasm vet unit race interop browser ## everything that must pass: vet, layers, unit, vectors, demo, race, npm wallet, Chromium
	@echo "make test: all passed"

vet: ## go vet
	$(GO) vet ./...

unit: ## unit tests, layers, vectors and the demo on a temporary folder
	$(GO) test ./...

race: ## the short tests of what runs concurrently, under the race detector
	$(GO) test -race -short ./issuer/... ./registry/... ./verifier/... ./internal/... ./api/... ./assessment/intake/...

interop: build ## independent wallets and verifiers from npm against our server
	@sh scripts/node-tests.sh interop

browser: build ## the verify page in a real Chromium
	@sh scripts/node-tests.sh test/browser

crash: deps ## the kill loops: kill -9 at named points of issuing, intake, scoring, shredding, erasure and review, and at random times
	$(GO) test -count=1 -tags crashpoints -run 'TestKill' -v ./test/crash/...

lint: ## formatting and the linters of .golangci.yml, at the versions pinned in tools/go.mod
	@test -z "$$($(TOOL) gofumpt -l $$(git ls-files '*.go'))" || { $(TOOL) gofumpt -l $$(git ls-files '*.go'); exit 1; }
	$(TOOL) golangci-lint run ./...

fmt: ## format all Go files, imports grouped
	$(TOOL) gofumpt -w $$(git ls-files '*.go')
	$(TOOL) goimports -local heartmark -w $$(git ls-files '*.go')

vuln: ## known vulnerabilities in reachable code; needs the vulnerability database
	$(TOOL) govulncheck ./...

fuzz: ## every fuzz target for FUZZTIME each
	@sh scripts/fuzz.sh $(FUZZTIME)

bench: deps ## issue and verify, each beside a raw baseline (and @digitalbazaar/vc, where there is npm) in the same run, and classify
	@if command -v npm >/dev/null; then cd test/nodebench && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; else echo "bench: without @digitalbazaar/vc, which needs Node.js 20 with npm"; fi
	@export HEARTMARK_NODE_BENCH=$$(test -d test/nodebench/node_modules && echo $(CURDIR)/test/nodebench); \
	$(GO) test -run '^$$' -bench . -benchmem ./issuer/... ./verifier/... ./internal/proof/... ./internal/statuslist/... ./assessment/...

bench-node: deps ## the Go runtime against onnxruntime-node on the same model, in one run; needs Node.js 20
	cd test/nodebench && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	HEARTMARK_NODE_BENCH=$(CURDIR)/test/nodebench $(GO) test -count=1 -run TestAgainstNode -v ./assessment/onnx

evaluate: deps build ## the whole evaluation of the classifier on DATA, the annotated sets; slow
	bin/heartmark evaluate --data $(DATA) --report-json evaluation.json --html evaluation.html

model: ## rebuild the classifier from the annotated data (Python; slow): see assessment/model/train/README.md
	sh assessment/model/train/build.sh

clean: ## remove bin, demo-out and the development data (.data)
	rm -rf bin demo-out .data
