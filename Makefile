# `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN     := bin/slipway
LDFLAGS := -s -w
# These wait for a network, or read what people write: code that is not inlined is
# smaller, and no slower to notice.
SLIM    := $(foreach module,aws jackc dbos-inc danielgtaylor alecthomas goccy,-gcflags=github.com/$(module)/...=-l)
# The race detector needs a C compiler; without one the tests run without it. SQLite is
# C turned into Go, with memory of its own that the detector does not know: watched, it
# takes four times as long and shows nothing.
RACE    := $(if $(shell command -v $${CC:-gcc} 2>/dev/null),-race $(foreach package,sqlite/lib libc,-gcflags=modernc.org/$(package)=-race=false))
# `make lint` vets, tests included; go test would do so again, with all dependencies.
VETTED  := -vet=off
LINT    := go tool golangci-lint

# All else is built alike, be it to lint, to test or to ship, so that each package is
# compiled once: on a machine that has built nothing, that is most of the work.
export CGO_ENABLED := 0
export GOFLAGS     := $(strip $(filter-out -trimpath $(SLIM),$(GOFLAGS)) -trimpath $(SLIM))

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  \033[1m%-18s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/slipway, stripped
	go build -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/slipway

LAMBDAS := dist/lambda-arm64.zip dist/lambda-amd64.zip
.PHONY: lambda $(LAMBDAS)
lambda: $(LAMBDAS) ## Build dist/lambda-{arm64,amd64}.zip for Lambda, reproducibly, and check their size

$(LAMBDAS): dist/lambda-%.zip:
	@mkdir -p dist/$*
	GOOS=linux GOARCH=$* go build -buildvcs=false -tags lambda.norpc -ldflags '$(LDFLAGS) -buildid=' -o dist/$*/bootstrap ./cmd/slipway-lambda
	go run ./cmd/slipway-lambda/pack dist/$*/bootstrap $@

.PHONY: test
test: ## Run all tests, with the race detector where there is a C compiler
	$(if $(RACE),CGO_ENABLED=1) go test $(RACE) $(VETTED) -timeout 20m ./...

.PHONY: lint
lint: ## Check format, style and the import law
	$(LINT) fmt --diff
	$(LINT) run --build-tags e2e ./...

.PHONY: generate
generate: ## Regenerate what is generated: schemas, OpenAPI, command reference, outcomes, the modules' READMEs
	go generate ./...

.PHONY: verify
verify: lint ## Check that everything committed is formatted, linted and generated
	go mod tidy -diff
	go mod verify
	@before=$$(git status --porcelain); go generate ./...; after=$$(git status --porcelain); \
	if [ "$$before" != "$$after" ]; then git --no-pager diff; echo 'run make generate and commit the result' >&2; exit 1; fi

.PHONY: truth
truth: ## Play the truth table (docs/outcomes.md) and print it
	cd internal/truth && go test -count=1 -run TestTruth -matrix

# Packages that wait for other programs do not need a processor each.
.PHONY: e2e
e2e: build ## Run the end-to-end tests on the real binary; with SLIPWAY_E2E_AWS=1 those of e2e-aws too
	SLIPWAY_BIN=$(CURDIR)/$(BIN) go test -count=1 $(VETTED) -p 4 -timeout 30m -tags e2e ./e2e/...

.PHONY: terraform
terraform: ## Check the Terraform modules and examples: format, tests, validity
	go test -count=1 $(VETTED) -v -tags e2e ./e2e/terraform/...

# The provider installs from a folder that is laid out by the host that its source
# names; a host of your own keeps it apart from what others publish.
PROVIDER_HOST      ?= terraform.example.com
PROVIDER_VERSION   ?= 0.1.0
PROVIDER_MIRROR    ?= dist/terraform-providers
PROVIDER_PLATFORMS ?= $(shell go env GOOS)_$(shell go env GOARCH)

.PHONY: terraform-provider
terraform-provider: ## Build the Terraform provider into a filesystem mirror
	@set -e; for platform in $(PROVIDER_PLATFORMS); do \
	  into='$(PROVIDER_MIRROR)/$(PROVIDER_HOST)/slipway-cd/slipway/$(PROVIDER_VERSION)'/$$platform; \
	  program=$$into/terraform-provider-slipway_v$(PROVIDER_VERSION); \
	  case $$platform in windows_*) program=$$program.exe;; esac; \
	  mkdir -p "$$into"; \
	  GOOS=$${platform%_*} GOARCH=$${platform#*_} go build -ldflags '$(LDFLAGS)' -o "$$program" ./cmd/terraform-provider-slipway; \
	  echo "$$program"; \
	done

.PHONY: e2e-aws
e2e-aws: build ## Apply the Terraform examples on the sandbox and moto, deliver, destroy
	SLIPWAY_E2E_AWS=1 SLIPWAY_BIN=$(CURDIR)/$(BIN) go test -count=1 $(VETTED) -v -timeout 30m -tags e2e ./e2e/aws/...

.PHONY: bench
bench: build ## Measure what the README promises: latency, batching, size, memory
	go test -run '^$$' -bench . -skip Thousand -benchtime 20x ./internal/...
	go test -run '^$$' -bench Thousand -benchtime 2x ./internal/engine
	SLIPWAY_BIN=$(CURDIR)/$(BIN) go test -run '^$$' -bench . -benchtime 1x -tags e2e ./e2e/...

.PHONY: demo
demo: ## Run the demo: deployment, rollback and history in the sandbox
	go run ./cmd/slipway demo

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin dist
