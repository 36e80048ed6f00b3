# Everything a person or CI does here, one line each: `make help`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON3 ?= python3
VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check
PROTOS := $(wildcard protos/recsys/v1/*.proto)
# Two threads of BLAS under our own parallel work are slower than one.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
DATA ?= var/demo/data
BUNDLES ?= var/demo/bundles
PORT ?= 50051
TORCH_INDEX ?=
TORCH = --constraint constraints.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) --editable '.[torch]'

help: ## Show what can be done here
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

$(PYTHON):
	@$(PYTHON3) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "recsys needs Python 3.11 or newer; point PYTHON3 at one: make PYTHON3=python3.12 ...")'
	@$(PYTHON3) -c 'import ctypes, sys; sys.platform != "linux" or ctypes.CDLL("libgomp.so.1")' 2>/dev/null || \
	  { echo 'recsys needs libgomp, the OpenMP library of GCC: apt install libgomp1, or dnf install libgomp'; exit 1; }
	$(PYTHON3) -m venv $(VENV) || { rm -rf $(VENV); exit 1; } # half an environment would pass for one

$(VENV)/.demo: pyproject.toml constraints.txt | $(PYTHON)
	@echo "Installing packages into $(VENV) ..."
	$(PIP) install --quiet --constraint constraints.txt --editable '.[demo,report]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(PYTHON)
	@echo "Installing packages and development tools into $(VENV) ..."
	$(PIP) install --quiet 'pip>=25.1'
	$(PIP) install --quiet --constraint constraints.txt --editable '.[demo,report,tune]' --group dev
	@touch $@ $(VENV)/.demo

setup: $(VENV)/.dev ## Create .venv with everything for development

$(VENV)/.torch: pyproject.toml constraints.txt | $(VENV)/.dev
	@if $(PIP) install --dry-run --quiet --report - $(TORCH) | grep -q '"name": "nvidia'; then \
	  echo 'The package index has torch with gigabytes of CUDA. Name one with the CPU build:'; \
	  echo '  make setup-torch TORCH_INDEX=https://download.pytorch.org/whl/cpu'; exit 1; fi
	@echo "Installing torch (CPU) into $(VENV) ..."
	$(PIP) install --quiet $(TORCH)
	@touch $@

setup-torch: $(VENV)/.torch ## Add torch's CPU build, to fit sequence models and to test them

.venv-bare/.done: pyproject.toml constraints.txt
	$(PYTHON3) -m venv .venv-bare
	.venv-bare/bin/python -m pip --disable-pip-version-check install --quiet 'pip>=25.1'
	.venv-bare/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt --editable . --group dev
	@touch $@

demo: $(VENV)/.demo ## Fit, evaluate and serve a real grocer's year, then ask for recommendations
	@$(PYTHON) -m training demo

train: $(VENV)/.demo ## Fit a bundle from DATA into BUNDLES and make it current
	$(PYTHON) -m training run --data $(DATA) --bundles $(BUNDLES)

serve: $(VENV)/.demo ## Serve the current bundle of BUNDLES on PORT
	$(PYTHON) -m serving run --bundles $(BUNDLES) --port $(PORT)

evaluate: $(VENV)/.demo ## Evaluate the default configuration on DATA, with baselines
	$(PYTHON) -m evaluation run --data $(DATA)

test: $(VENV)/.dev ## Run the whole test suite with coverage; skip tests whose extra is absent
	$(PYTHON) -m pytest --numprocesses 2 --cov --cov-report term

test-torch: $(VENV)/.torch ## Run the tests that need torch
	$(PYTHON) -m pytest -m 'extra(name="torch")'

# Half of the suite's time: servers, stores and properties use what no extra brings. TESTS=tests runs all.
TESTS ?= tests --ignore tests/property --ignore tests/integration/serving --ignore tests/integration/store
test-bare: .venv-bare/.done ## Run tests where no extra is installed (TESTS=tests for the whole suite)
	.venv-bare/bin/python -m pytest --numprocesses 2 $(TESTS)

check: $(VENV)/.dev protos-check ## Lint, types, import contracts, stub drift, proto style
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/buf lint
	$(VENV)/bin/buf format --path protos/recsys --exit-code --diff
	tag=$$(git describe --tags --abbrev=0 2>/dev/null) && $(VENV)/bin/buf breaking --against ".git#tag=$$tag" || test -z "$$tag"

format: $(VENV)/.dev ## Format and fix what tools can fix
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/buf format --path protos/recsys --write

.venv-protos/.done: pyproject.toml
	$(PYTHON3) -m venv .venv-protos
	.venv-protos/bin/python -m pip --disable-pip-version-check install --quiet 'pip>=25.1'
	.venv-protos/bin/python -m pip --disable-pip-version-check install --quiet --group proto
	@touch $@

protos: .venv-protos/.done ## Generate recsys/v1 from protos/
	rm -f recsys/v1/*_pb2*
	PATH="$(CURDIR)/.venv-protos/bin:$$PATH" .venv-protos/bin/python -m grpc_tools.protoc -Iprotos \
	  --python_out=. --grpc_python_out=. --mypy_out=. --mypy_grpc_out=. $(PROTOS)

protos-check: protos ## Fail if the committed stubs are stale
	git diff --exit-code -- recsys/v1
	test -z "$$(git status --porcelain -- recsys/v1)"

bench: $(VENV)/.dev ## Measure the server and the bulk path on the demo bundle
	$(PYTHON) tests/benchmarks/bench_serving.py --bundles $(BUNDLES)
	$(PYTHON) tests/benchmarks/bench_bulk.py --bundles $(BUNDLES) --data $(DATA)

qualify-main: $(VENV)/.dev ## Prove the release's main claims (long; ONLY=N for one)
	$(PYTHON) -m tests.qualification.main $(if $(ONLY),--only $(ONLY))

qualify-quality: $(VENV)/.dev $(VENV)/.torch ## Prove the quality of lists on real data (hours; ONLY=N for one)
	$(PYTHON) -m tests.qualification.quality.main $(if $(ONLY),--only $(ONLY))

qualify-live: $(VENV)/.dev ## Prove that no event is lost and each is seen (long; ONLY=N for one)
	$(PYTHON) -m tests.qualification.live.main $(if $(ONLY),--only $(ONLY))

qualify-offers: $(VENV)/.dev ## Prove placements, rules, explanations and offers (long; ONLY=N for one)
	$(PYTHON) -m tests.qualification.offers.main $(if $(ONLY),--only $(ONLY))

clean: ## Remove environments and everything under var/
	rm -rf .venv .venv-bare .venv-protos var

.PHONY: help setup setup-torch demo train serve evaluate test test-torch test-bare check format protos protos-check bench qualify-main qualify-quality qualify-live qualify-offers clean
