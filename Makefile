# Countersign's chores. `make demo` and `make test` install what is missing by themselves.

# The distribution's Python where it can make a virtual environment and compile for it: it is built to be fast, and of
# what stands before it on a PATH nobody knows.
FIT := import ensurepip, os, sys, sysconfig, venv; sys.exit(sys.version_info < (3, 11) or not os.path.exists(sysconfig.get_path("include") + "/Python.h"))
PYTHON ?= $(shell /usr/bin/python3 -c '$(FIT)' 2>/dev/null && echo /usr/bin/python3 || echo python3)
BIN := .venv/bin

.PHONY: install install-test demo test fuzz lint bench lock clean

install: .venv/.installed

install-test: .venv/.installed-test .venv/idp/.installed

# What is half made is removed again: the next `make` would take it for whole.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Countersign needs Python 3.11 or newer, and $(PYTHON) is not. Name one that is: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# What setup.py compiles: an edited source counts only once it is compiled again.
COMPILED := $(patsubst %,gateway/%.py,end errand gate model pace relay sessions wire recorder/__init__ recorder/chain recorder/lines recorder/remembered masking/scrub protocols/mysql/rows facts/cache facts/shapes facts/postgres/__init__) \
	$(wildcard gateway/protocols/postgres/*.py)

# The lock names hashes and no registry, so it installs from whichever index pip is set up for.
OFFLINE = { echo "pip could not install what the lock names: see above. It needs PyPI, or the index that pip.conf or PIP_INDEX_URL names." >&2; exit 1; }

.venv/.installed: .venv/bin/python requirements.lock setup.py pyproject.toml $(COMPILED)
	@echo "Installing into .venv; the first time takes a few minutes ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock || $(OFFLINE)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

.venv/.installed-test: .venv/.installed requirements-test.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock || $(OFFLINE)
	@touch $@

# The identity provider that tests log in at. Its lock names hashes and no registry either.
.venv/idp/.installed: .venv/.installed-test tests/identity/idp/package-lock.json
	mkdir -p .venv/idp
	cp tests/identity/idp/package.json tests/identity/idp/package-lock.json .venv/idp
	$(BIN)/npm ci --prefix .venv/idp --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

demo: install
	$(BIN)/countersign demo $(DEMO)

test: install-test
	sh .ci/packages ansible-core chromium curl git mariadb-server openssh-client openssh-server postgresql rsync xmlsec1
	command -v kubectl >/dev/null || sh .ci/packages kubernetes-client
	PATH="$(CURDIR)/$(BIN):$$PATH" sh .ci/check

fuzz: install-test
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=default

lint: install-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install-test
	sh .ci/packages mariadb-server pgbouncer
	$(BIN)/python benchmarks/facts.py
	$(BIN)/python benchmarks/masking.py
	$(BIN)/python benchmarks/masking_quality.py
	$(BIN)/python benchmarks/masking_quality.py --names
	$(BIN)/python benchmarks/mysql.py
	$(BIN)/python benchmarks/postgres.py
	$(BIN)/python benchmarks/web.py

lock: .venv/bin/python
	$(BIN)/python -m pip install --quiet pip-tools
	COUNTERSIGN_PURE=1 $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header \
		--extra demo --all-build-deps --output-file requirements.lock pyproject.toml
	COUNTERSIGN_PURE=1 $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header \
		--extra demo --extra test --constraint requirements.lock --output-file requirements-test.lock pyproject.toml

clean:
	rm -rf .venv build var *.egg-info
