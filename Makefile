# Each target sets up what it needs on a machine with only Python >= 3.11, pip, make and git.
SHELL := /bin/sh
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .boot/bin/uv
# uv may use the Pythons of this machine only; our own environments are never taken for one that is active.
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME
# Every service is a process that would compile all it imports again.
unexport PYTHONDONTWRITEBYTECODE

MEMBERS := $(wildcard contracts/pyproject.toml chassis/pyproject.toml services/*/pyproject.toml deploy/local/pyproject.toml deploy/grafana/pyproject.toml)
SOURCES := contracts chassis services deploy tests
# Killing make outright ends the stack too.
TETHER := $(shell setpriv --pdeathsig TERM true 2>/dev/null && echo setpriv --pdeathsig TERM)

.DEFAULT_GOAL := help
.PHONY: help demo up test chaos bench soak check ops-check images schemas dashboards

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-10s %s\n", $$1, $$2}' Makefile

demo: .venv/ready ## Live through a year on a fresh stack and check every figure
	@$(TETHER) .venv/bin/kraftcenter demo

up: .venv/ready ## Run the stack until Ctrl-C; its data stay in build/up
	@$(TETHER) .venv/bin/kraftcenter up

test: check ## Check, then run all tests
	.venv/bin/pytest

chaos: .venv/ready ## Let every known fault befall a running town, and write docs/faults.md; SEED=n repeats one, MINUTES=n gives a slow machine more than 25
	@$(TETHER) .venv/bin/python -m tests.faults $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

bench: .venv/ready ## Measure impact beside what else there is; the run is kept in build/bench.json
	@$(TETHER) .venv/bin/python -m tests.bench

soak: .venv/ready ## Live an hour at 200 events/s and see that nothing grows
	@$(TETHER) .venv/bin/python -m tests.bench.soak --minutes 60 --rate 200

check: .venv/ready ## Check the lock file, style, types, layers, and that events fit their releases
	$(UV) lock --check --quiet
	.venv/bin/ruff check --quiet
	.venv/bin/ruff format --check --quiet
	.venv/bin/mypy $(SOURCES)
	.venv/bin/lint-imports
	.venv/bin/kraftcenter contracts compat

ops-check: .venv/ready build/tools/ready ## Check what is watched and deployed, as far as that needs no container engine
	deploy/tools/browser
	.venv/bin/pytest -rs tests/ops

images: .venv/ready ## Build each image for real against a stand-in base and start it, as root on Debian; installs buildah
	.venv/bin/python -m deploy.images.build

schemas: .venv/ready ## Write what follows from the models of the events: schemas, AsyncAPI document, page
	.venv/bin/python -m contracts

dashboards: .venv/ready ## Write Grafana's dashboards from their code
	.venv/bin/python -m dashboards

build/tools/ready: deploy/tools/fetch
	deploy/tools/fetch build/tools

.venv/ready: .boot/uv-$(UV_VERSION) uv.lock pyproject.toml $(MEMBERS)
	$(UV) sync --locked --quiet --compile-bytecode --python .boot/bin/python
	@touch $@

.boot/uv-$(UV_VERSION):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is `$(PYTHON) --version 2>&1`. Try: make PYTHON=python3.12 ..." >&2; exit 1; }
	@# Debian splits ensurepip from Python, so this machine's pip fills the environment.
	rm -rf .boot
	$(PYTHON) -m venv --without-pip .boot
	$(PYTHON) -m pip --python .boot/bin/python install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@
