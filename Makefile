# make run   sets up .venv, runs the demonstration recipe offline, ends with certificate and report
# make test  sets up .venv and runs every check (with CI=true the long tests too)

PYTHON ?= $(shell for p in python3 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
TORCH ?= torch==2.13.0
VENV := .venv
READY := $(VENV)/.ready

.PHONY: run test check embedded-base clean

run: $(READY)
	$(VENV)/bin/mixwright demo

test: $(READY)
	$(VENV)/bin/python -m pytest $(if $(CI),,-m "not long")

check: $(READY)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# torch goes first and alone: an unpinned one may pull gigabytes that a CPU does not need.
$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3"; exit 2; }
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "$(TORCH)"
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $@

# The embedded base, from nothing, in two parts; benchmarks/embedded_base/ says how long each took and what it gave.
BASE := src/mixwright/models/embedded/nano
embedded-base: $(READY)
	$(VENV)/bin/python scripts/base/make_start.py runs/start
	$(VENV)/bin/mixwright evaluate recipes/nano.yaml --set start=runs/start --threads 1
	$(VENV)/bin/python scripts/base/record.py runs/nano-latest benchmarks/embedded_base
	$(VENV)/bin/mixwright evaluate recipes/nano-finish.yaml --threads 1 \
		--set start=runs/nano-latest/arms/blend/training/model
	$(VENV)/bin/python scripts/base/record.py runs/nano-finish-latest benchmarks/embedded_base
	install -m 644 runs/nano-finish-latest/arms/blend/training/model/* $(BASE)/

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache .hypothesis build
