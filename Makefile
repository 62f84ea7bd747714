# One command per intention, the same locally and in CI.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8080
DOCS ?= docs
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check install --quiet --no-warn-script-location -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help install install-dev up test check bench lock console schema clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(VENV)/.installed src/headstart/console/index.html ## Create .venv, install pinned versions, build the console

install-dev: $(VENV)/.installed-dev src/headstart/console/index.html ## The same, with what tests and checks need

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.installed

src/headstart/console/index.html: $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null) | $(VENV)/bin/python
	$(BIN)/python web/build.py

console: src/headstart/console/index.html ## Build the web console

schema: install-dev ## Generate the console's client from the API's schema
	$(BIN)/python -m headstart.api.schema > web/openapi.json
	$(BIN)/python web/build.py --client

up: install ## Serve an assistant over DOCS (default: docs/) on http://HOST:PORT
	$(BIN)/headstart up $(DOCS) --host $(HOST) --port $(PORT)

test: install-dev ## Run the tests
	$(BIN)/python -m tests.models
	$(BIN)/python -m pytest

check: install-dev ## Lint, types, layers, generated files, console
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/reference.py --check
	$(BIN)/python web/build.py --check

bench: install-dev ## Print the benchmark table
	$(BIN)/python -m benchmarks

lock: ## Resolve constraints.txt anew
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra train --extra cluster --universal \
	  --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  -c constraints.in -o constraints.txt

clean: ## Remove what the other commands made (not your data in HEADSTART_HOME)
	rm -rf $(VENV) web/node_modules src/headstart/console build dist .pytest_cache .mypy_cache .ruff_cache
