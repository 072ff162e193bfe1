# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PACKAGES := codegen gateway sdk-python
EXTRAS   := embedded reference aiohttp http2 progress cli otel testing

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check format generate lock bench bench-codegen bench-gateway bench-sdk clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

setup: $(STAMP)  ## install everything into .venv (quick when nothing changed)

$(STAMP): requirements.txt $(PACKAGES:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		$(PACKAGES:%=--editable ./%)
	@touch $@

demo: setup  ## start the whole platform on free ports and take a guided tour with the Python SDK
	@$(BIN)/dhatu-codegen generate --check
	@$(BIN)/dhatu-reference up --port 0 -- $(BIN)/python sdk-python/examples/tour.py

serve: setup  ## start the whole platform on http://127.0.0.1:8000 and keep it running
	@$(BIN)/dhatu-codegen generate --check
	@$(BIN)/dhatu-reference up --port 8000

test: setup  ## run all tests
	@$(BIN)/pytest -n auto --dist loadgroup

check: setup  ## format, lint, types, architecture, generated code current
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/dhatu-codegen generate --check --full
	@$(BIN)/dhatu-codegen lint
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@$(BIN)/basedpyright

format: setup  ## format the code and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

generate: setup  ## merge the specs and generate everything that has to agree with them
	@$(BIN)/dhatu-codegen generate

lock: setup  ## resolve the dependencies anew into requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--upgrade --group dev --group bench $(PACKAGES:%=%/pyproject.toml) $(EXTRAS:%=--extra %) \
		--output-file requirements.txt

bench: bench-codegen bench-gateway bench-sdk  ## measure everything; writes build/bench.json

bench-gateway: setup  ## requests per second and latency: the gateway, a naive proxy and Envoy side by side
	@PYTHONPATH=tests $(BIN)/python -m bench.gateway

bench-sdk: setup  ## cost of a call beside httpx and the openai package, of importing, of the first call
	@PYTHONPATH=tests $(BIN)/python -m bench.sdk

bench-codegen: setup  ## seconds of generate on this platform, time per schema; BENCH_OPENAPI names a document to add
	@PYTHONPATH=tests $(BIN)/python -m bench.codegen

clean:  ## remove everything that make creates
	rm -rf $(VENV) build node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
