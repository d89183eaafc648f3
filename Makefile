# The one entry point. Every target first builds the locked environment in .venv; nothing else has to be installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# One more than the cores of a small runner: tests wait for the programs that they start.
WORKERS ?= 3
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH VIRTUAL_ENV
export DVC_NO_ANALYTICS := 1
# As pip does: behind a proxy that inspects TLS, only the system knows the certificate authority.
export UV_SYSTEM_CERTS := 1
SHELL := /bin/bash

.DEFAULT_GOAL := help
.PHONY: help demo test acceptance lint format bench calibrate container lock clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

$(READY): requirements/uv.txt requirements/dev.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "MetricGate needs $(PYTHON) (3.11 or newer) on PATH; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "MetricGate needs Python 3.11 or newer; $$($(PYTHON) --version) found. Set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Building the locked environment in $(VENV) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Watch a worse model be refused: real data, DVC and Git, in a new folder
	$(BIN)/metricgate demo

test: $(READY) ## Run unit and end-to-end tests, under five minutes on two cores
	$(BIN)/pytest -n $(WORKERS) -m "not acceptance and not calibration"

acceptance: $(READY) ## Run tests that need more than a checkout: container, remotes, browser, servers
	$(BIN)/python scripts/acceptance.py

container: $(READY) ## Build the image, and run the action in it as GitHub's runner does
	$(BIN)/python scripts/acceptance.py tests/container

lint: $(READY) ## Check style, types, layers, spelling and the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/hadolint Dockerfile

format: $(READY) ## Format the code, and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## Measure speed and memory, as ratios within one run
	$(BIN)/python scripts/bench.py

calibrate: $(READY) ## Simulate thousands of test sets, and print the tables of docs/statistics.md
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) -m calibration -s

lock: ## Rewrite requirements/*.txt
	PATH=$(abspath $(BIN)):$$PATH sh requirements/lock.sh

clean: ## Remove the environment and the files that tools left behind
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
