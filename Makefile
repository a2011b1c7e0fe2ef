# Everyday commands. `make` alone lists them. Only Python 3.11+ and make are needed; the rest goes into .venv.

VENV := .venv
BIN := $(VENV)/bin
# What runs Meantime, and what its developers need besides. A stamp is newer than the lock it was installed from.
RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check

ARGS ?=
TESTS ?=
CASES ?= tests/cases
# As a variable of the shell, PORT is somebody else's.
GIVEN_PORT := $(if $(filter command,$(firstword $(origin PORT))),$(PORT))
URL ?= http://127.0.0.1:$(or $(GIVEN_PORT),5000)

# A misspelt variable would do something else than was asked for.
KNOWN := ARGS CASES PORT PYTHON RUNS SHELL SOAK_S SOAK_SEED TESTS URL VENV
UNKNOWN := $(filter-out $(KNOWN),$(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name))))
$(if $(UNKNOWN),$(error $(UNKNOWN) is no variable of this Makefile; known: $(KNOWN)))
SOAK_S ?= 3600
SOAK_SEED ?= 20261125
# A small disk that can be filled, without being root: mounts of one's own, where the system allows them.
OWN_MOUNTS = $(shell unshare -rm true 2>/dev/null && echo unshare -rm)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

##@ Use

.PHONY: help
help: ## List these commands
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z_-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run_server
run_server: $(RUN) ## Set up and serve the bundled table on http://127.0.0.1:5000 (PORT=8000 ARGS=FILE)
	@exec $(BIN)/meantime serve$(if $(GIVEN_PORT), --port $(GIVEN_PORT)) $(ARGS)

.PHONY: run_tests
run_tests: $(RUN) ## Check a running server against expected responses (PORT=5000 or URL=..., CASES=tests/cases)
	@$(BIN)/meantime check $(CASES) --url $(URL) $(ARGS)

##@ Develop

.PHONY: setup
setup: $(DEV) ## Set up the venv with everything a developer needs

.PHONY: test
test: $(DEV) ## Set up and run the tests, on two cores (ARGS="-k drain": some, in one run)
	@$(if $(ARGS),$(BIN)/python -m pytest $(ARGS),.ci/test)

.PHONY: quick
quick: $(DEV) ## Run the unit and contract tests side by side, without the slow ones (ARGS="-k drain")
	@.ci/quick $(ARGS)

.PHONY: steady
steady: $(DEV) ## Run all tests three times: as they are, beside four busy loops, in random order (RUNS=busy)
	@.ci/steady $(RUNS)

.PHONY: check
check: format lint types imports containers audit $(if $(filter no,$(TESTS)),,test) check-wheel ## All that CI runs (TESTS=no: all but the tests)

.PHONY: format
format: $(DEV) ## Is the code formatted?
	@$(BIN)/ruff format --check .

.PHONY: lint
lint: $(DEV) ## Lint
	@$(BIN)/ruff check .

.PHONY: types
types: $(DEV) ## Check the types
	@$(BIN)/mypy

.PHONY: imports
imports: $(DEV) ## Do imports go downwards only?
	@$(BIN)/lint-imports --no-logo

.PHONY: containers
containers: $(DEV) ## Lint the Dockerfile
	@$(BIN)/hadolint Dockerfile

.PHONY: audit
audit: $(DEV) ## Look the locked packages up among known vulnerabilities; skipped where no database can be reached
	@.ci/audit

.PHONY: check-wheel
check-wheel: $(DEV) ## Build the wheel, install it alone in a clean venv, and test it there
	@rm -rf build/wheel dist && mkdir -p build/wheel
	@$(BIN)/python -m hatchling build
	@$(BIN)/python -m venv build/wheel/venv
	@build/wheel/venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@build/wheel/venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps dist/*.whl
	@TEST_WHEEL_PYTHON=$(CURDIR)/build/wheel/venv/bin/python $(BIN)/python -m pytest -m wheel tests/acceptance

.PHONY: fix
fix: $(DEV) ## Format, and mend what the linter can mend
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

.PHONY: coverage
coverage: $(DEV) ## Run the tests and report the lines and branches they miss
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

.PHONY: bench
bench: $(DEV) ## Measure speed and memory against their goals (ARGS="--quick", ARGS="--json")
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: soak
soak: $(DEV) ## Run the long tests (ARGS="-k mixed_load" for some; SOAK_S=300, SOAK_SEED=1: how long mixed load lasts, and which)
	@HYPOTHESIS_PROFILE=soak SOAK_S=$(SOAK_S) SOAK_SEED=$(SOAK_SEED) $(OWN_MOUNTS) $(BIN)/python -m pytest -m soak $(ARGS)

##@ Maintain

# uv resolves for all platforms at once, which pip can't; plain pip then installs what it wrote.
.PHONY: lock
lock: ## Pin all dependencies with hashes (ARGS=--upgrade: take newer ones)
	@command -v uv >/dev/null || test -x build/uv/bin/uv || { $(MAKE) $(BIN)/python && $(BIN)/python -m venv build/uv \
	  && build/uv/bin/python -m pip install -qq --disable-pip-version-check uv; }
	@PATH="$$PATH:$(CURDIR)/build/uv/bin"; \
	  lock="uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 $(ARGS)"; \
	  $$lock pyproject.toml --extra charts --group build --output-file requirements.lock && \
	  $$lock pyproject.toml --extra charts --group build --group dev --constraints requirements.lock --output-file requirements-dev.lock

.PHONY: vendor
vendor: $(DEV) ## Fetch the vendored files again, by npm, and check them (ARGS=--accept: a version was changed)
	@$(BIN)/python .ci/vendor $(ARGS)

.PHONY: pictures
pictures: $(DEV) ## Draw the pictures of the README anew, from the bundled table
	@$(BIN)/python .ci/pictures

.PHONY: sbom
sbom: $(DEV) ## Write sbom.json, a CycloneDX list of everything that runs in the server
	@PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-file sbom.json

.PHONY: clean
clean: ## Remove the venv and everything built; a server's state stays
	@rm -rf $(VENV) build dist sbom.json .coverage .coverage.* htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache \
	  .import_linter_cache
	@find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- the venv -------------------------------------------------------------------------------------------------------

# PYTHON=... chooses another one.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
  $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Meantime needs Python 3.11 or newer with its venv module (Debian: apt-get install python3-venv), \
	and found none. Name one with: make PYTHON=/path/to/python" >&2; exit 2; }
	@$(PYTHON) -m venv --clear $(VENV)

$(RUN): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Setting up .venv (about a minute the first time) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	@$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
