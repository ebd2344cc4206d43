# One environment, .venv, for running and developing. uv makes it where it is installed, else python3 with pip.
PYTHON ?= python3
BIN := .venv/bin
# `make UV=` installs with plain pip where uv is there, too.
UV ?= $(shell command -v uv 2>/dev/null)
INSTALLED := .venv/.installed
# The Python client is tested in an environment of its own, with the frameworks that it serves.
CLIENT := clients/python
CLIENT_INSTALLED := $(CLIENT)/.venv/.installed
NODE_INSTALLED := clients/js/node_modules/.installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install dev test test-pages faults-quick quick coverage test-long test-clients test-client-python test-client-js check format bench bench-full measure-connections measure-flood measure-import measure-instances measure-memory measure-pooler measure-revocation measure-search measure-services measure-verification measure-verifier package package-test settings-page lock clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-20s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED) ## Install what the lock says into .venv (with uv where it is, else with pip)

dev: $(INSTALLED) ## Run Latchkey here with an embedded PostgreSQL, reloading on change
	@exec $(BIN)/latchkey dev

# What is compiled of tests and packages is kept, whatever the environment says: else every worker compiles for seconds.
TESTING := PYTHONDONTWRITEBYTECODE= $(BIN)/python
# Three workers: the tests wait for processes as much as they compute.
PYTEST := $(TESTING) -m pytest -q -n 3 --dist worksteal

test: $(INSTALLED) ## Run the tests, but for those in a browser and those of faults
	@$(PYTEST) -m "not pages and not faults"

test-pages: $(INSTALLED) ## Run the tests in a browser (needs chromium)
	@$(TESTING) -m pytest -q -n 2 --dist worksteal -m pages

faults-quick: $(INSTALLED) ## Run the tests of faults: killed processes, lost databases, poolers that switch
	@$(PYTEST) -m faults

quick: $(INSTALLED) ## Run the tests of what you have changed, in 45 seconds (or of FOR="src/latchkey/cli docs/errors.md")
	@$(TESTING) -m tests.kit.quick $(FOR)

coverage: $(INSTALLED) ## Run all tests, and say how much of the code they reach (takes half as long again)
	@# An absolute path, so that servers under test, which run elsewhere, write their share beside the others'.
	@COVERAGE_FILE="$(CURDIR)/.coverage" $(PYTEST) --cov --cov-report=
	@echo "Lines and branches reached: $$($(BIN)/coverage report --format=total) %"

test-long: $(INSTALLED) ## Try some hundred more orders of beginning and ending sessions, and import a million accounts (minutes)
	@$(BIN)/python -m pytest -q --hypothesis-profile=long \
	  tests/sessions/test_interleavings.py tests/features/revocations/test_passes.py \
	  tests/features/imports/test_resume.py

test-clients: test-client-python test-client-js ## Test the client packages (needs Node 20.19 and npm)

test-client-python: $(INSTALLED) $(CLIENT_INSTALLED) ## Check the types of the Python client, and run its tests
	@cd $(CLIENT) && .venv/bin/mypy && .venv/bin/python -m pytest -q -n 2 --dist loadfile
	@# The examples behind a real Latchkey.
	@$(TESTING) -m pytest -q tests/clients/python_examples.py

test-client-js: $(INSTALLED) $(NODE_INSTALLED) ## Check the types of the JavaScript client, and run its tests
	@cd clients/js && npm test --silent
	@# The examples beside a real Latchkey.
	@$(TESTING) -m pytest -q tests/clients/node_examples.py

check: $(INSTALLED) ## Check style, types and floors
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(INSTALLED) ## Format the code, and mend what can be mended safely
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

bench: $(INSTALLED) ## Measure every operation against its floor and its ceiling (BENCH="--quick" and other options)
	@$(BIN)/python -m bench $(BENCH)

bench-full: $(INSTALLED) ## The same with 10 thousand and with 1 million users, and the ratio between them
	@$(BIN)/python -m bench --users 10000,1000000 $(BENCH)

measure-connections: $(INSTALLED) ## Measure what 5 000 silent and 1 000 slow connections do to everybody else
	@$(BIN)/python -m bench.connections

measure-flood: $(INSTALLED) ## Measure what a flood of logins does to everybody else
	@$(BIN)/python -m bench.flood

measure-import: $(INSTALLED) ## Measure the import and export of a million accounts
	@$(BIN)/python -m bench.imports

measure-instances: $(INSTALLED) ## Measure what a second instance brings (needs redis-server)
	@$(BIN)/python -m bench.instances

measure-memory: $(INSTALLED) ## Measure whether memory grows in ten minutes of load
	@$(BIN)/python -m bench.memory

measure-pooler: $(INSTALLED) ## Measure what PgBouncer in between costs (needs pgbouncer)
	@$(BIN)/python -m bench.pooler

measure-revocation: $(INSTALLED) ## Measure how soon other instances refuse an ended session
	@$(BIN)/python -m bench.revocation

measure-search: $(INSTALLED) ## Measure how long an admin waits for a list among a million users
	@$(BIN)/python -m bench.search

measure-services: $(INSTALLED) ## Measure what it costs to ask who is calling: by cookie, bearer token, check, introspection
	@$(BIN)/python -m bench.services

measure-verifier: $(INSTALLED) ## Measure how soon the Python client refuses the tokens of an ended session
	@$(BIN)/python -m bench.verifier

measure-verification: $(CLIENT_INSTALLED) ## Measure what verifying a token costs the Python client
	@cd $(CLIENT) && .venv/bin/python bench.py

package: $(INSTALLED) ## Build wheel and source archive into dist (the same sources give the same bytes)
	@rm -rf dist
	@$(BIN)/hatchling build

package-test: package ## Install the wheel into empty environments, run the image's commands, and see both serve
	@# Named here, since their names are not those of tests: they ask a package index, which the tests do not.
	@UV="$(UV)" $(BIN)/python -m pytest -q -n 2 --dist loadfile \
	  tests/packaging/installed_wheel.py tests/packaging/built_image.py

settings-page: $(INSTALLED) ## Make docs/settings.md from the settings models
	@$(BIN)/python -m tests.kit.settings_page

lock: ## Choose versions anew and write requirements.lock, and that of the Python client (needs uv)
	@# Extras stay in the lock: without them pip would resolve again, and stop at the first newer release.
	@$(UV) pip compile pyproject.toml --all-extras --no-strip-extras --universal --python-version 3.11 --upgrade \
	  --generate-hashes --quiet --custom-compile-command "make lock" --output-file requirements.lock
	@$(UV) pip compile --group $(CLIENT)/pyproject.toml:test --universal --python-version 3.11 --upgrade \
	  --generate-hashes --quiet --custom-compile-command "make lock" --output-file $(CLIENT)/requirements-test.lock

clean: ## Remove the environments and what tools left behind (.latchkey, your data, stays)
	@rm -rf .venv $(CLIENT)/.venv clients/js/node_modules clients/js/dist
	@rm -rf .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist htmlcov

# $(call install,ENVIRONMENT,LOCK,PROJECT): what the lock says, and the project itself.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Latchkey needs Python 3.11 or newer, and $(PYTHON) is not that. Try: make PYTHON=python3.12" >&2; exit 1; }
	@if [ -n "$(UV)" ]; then \
	  echo "Installing into $(1) with uv"; \
	  { test -x $(1)/bin/python || $(UV) venv --quiet --clear --python "$$(command -v $(PYTHON))" $(1); } && \
	  $(UV) pip sync --quiet --python $(1)/bin/python --require-hashes $(2) && \
	  $(UV) pip install --quiet --python $(1)/bin/python --no-deps --no-build-isolation --editable $(3) ; \
	else \
	  echo "Installing into $(1) with pip (a minute the first time)"; \
	  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "$(PYTHON) cannot make environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; \
	  { $(1)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(1); } && \
	  $(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(2) && \
	  $(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable $(3) ; \
	fi
	@touch $@
endef

$(INSTALLED): requirements.lock pyproject.toml
	$(call install,.venv,requirements.lock,.)

$(CLIENT_INSTALLED): $(CLIENT)/requirements-test.lock $(CLIENT)/pyproject.toml
	$(call install,$(CLIENT)/.venv,$(CLIENT)/requirements-test.lock,$(CLIENT))

$(NODE_INSTALLED): clients/js/package.json clients/js/package-lock.json
	@command -v npm >/dev/null && clients/js/has-node || \
	  { echo "The JavaScript client needs Node 20.19 or newer, and npm. On Debian 13: apt-get install nodejs npm." \
	    "With an older Node: npm install --global node@22" >&2; exit 1; }
	@cd clients/js && npm ci --silent --no-audit --no-fund
	@touch $@
