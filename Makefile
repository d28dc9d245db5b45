# Everything a fresh machine needs is Python 3.11, git and make; each target does its own set-up.
#   make test    the whole test suite          make demo    the story on sample data, offline
#   make check   format, lint, types, layers   make lock    the pinned dependencies anew

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PLATFORM := $(shell uname -sm)
# Twice as many as there are processors: most of the time goes by waiting for processes of the tests' own.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) \* 2)

.DEFAULT_GOAL := test
.PHONY: install test benchmarks check check-format check-lint check-types check-layers format reference demo wheel lock clean

install: $(STAMPS)/project $(STAMPS)/kustomize

test: install $(STAMPS)/system $(STAMPS)/github-contract
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal --ignore tests/benchmarks

# Ratios of times mean something only when nothing else runs beside them. They are printed and gate nothing.
benchmarks: install $(STAMPS)/system
	$(BIN)/python -m tests.benchmarks.bench_diff
	$(BIN)/python -m tests.benchmarks.bench_utilisation

check: check-format check-lint check-types check-layers

check-format: install
	$(BIN)/ruff format --check .

check-lint: install
	$(BIN)/ruff check .

check-types: install
	$(BIN)/mypy

check-layers: install
	$(BIN)/lint-imports --no-logo

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The tables in docs/ and the policy's JSON Schema, written from the product's own.
reference: install
	$(BIN)/python -m tests.reference

demo: install
	@$(BIN)/tuppence demo

# Builds the wheel, installs it where nothing else is, and lets that copy prove that it is whole.
wheel: install
	rm -rf dist build/wheel-venv
	$(BIN)/python -m build --wheel --no-isolation --outdir dist . >/dev/null
	$(PYTHON) -m venv build/wheel-venv
	build/wheel-venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	build/wheel-venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps dist/*.whl
	cd build && wheel-venv/bin/python -I ../tests/wheel_check.py

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tuppence needs Python 3.11 or newer: make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dependencies: requirements-dev.lock $(STAMPS)/venv
	$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

$(STAMPS)/project: pyproject.toml $(STAMPS)/dependencies
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# pykustomize's metadata asks for Python 3.14, though it runs on 3.11; it is a Linux x86-64 library.
# Elsewhere the `kustomize` or `kubectl` on PATH renders overlays.
$(STAMPS)/kustomize: requirements-kustomize.lock $(STAMPS)/dependencies
ifeq ($(PLATFORM),Linux x86_64)
	$(PIP_INSTALL) --no-deps --ignore-requires-python --require-hashes -r requirements-kustomize.lock
endif
	@touch $@

# GitHub's own description of its API, which the tests' GitHub is held to; kept below .venv.
$(STAMPS)/github-contract: tests/github/package-lock.json tests/github/schema.graphql tests/github/contract_data.py $(STAMPS)/project $(STAMPS)/system
	$(BIN)/python -m tests.github.contract_data
	@touch $@

$(STAMPS)/system: .ci/system-packages $(STAMPS)/venv
	.ci/system-packages
	@touch $@

# Hashes of every platform's files, and no address of any registry.
PIP_COMPILE := $(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe --no-header \
  --no-annotate --no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links
DEV_GROUP := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")

lock: install
	$(PIP_COMPILE) --output-file requirements.lock pyproject.toml
	$(BIN)/python -c '$(DEV_GROUP)' \
	  | $(PIP_COMPILE) --extra helm --extra postgres --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml -
	printf '%s\n' hatchling helm-python-sdk \
	  | $(PIP_COMPILE) --constraint requirements-dev.lock --output-file requirements-image.lock -

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .import_linter_cache .hypothesis
