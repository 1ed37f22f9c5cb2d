# make run    reads data/samples (or INBOX=path) into a store and prints what it found
# make test   runs the tests
# make check  format, lint, types, import contracts and tests: what CI runs
# Each creates .venv on first use; a second call installs nothing unless pyproject.toml or constraints.txt changed.

PYTHON ?= python3
INBOX ?= data/samples
STORE ?= gongkai-store
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test check constraints clean
.DELETE_ON_ERROR:

# Files in quarantine (exit code 3) are a result, not a failure of make.
run: $(VENV)/.installed
	@$(BIN)/gongkai run "$(INBOX)" --store "$(STORE)" || [ $$? -eq 3 ]

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "gongkai needs Python 3.11 or later; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv "$(VENV)" \
	  || { echo "No virtual environment could be made; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

# hatchling is installed first, from the constraints, since pip builds in isolation without them.
$(VENV)/.installed: pyproject.toml constraints.txt $(VENV)/.created
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt hatchling editables
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e ".[dev]"
	@touch $@

# Compiles constraints.txt anew, with the newest versions that pyproject.toml allows.
constraints:
	$(PYTHON) -m uv pip compile --quiet --universal --upgrade --extra dev --extra train --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --python-version 3.11 \
	  --output-file constraints.txt pyproject.toml

clean:
	rm -rf "$(VENV)" build dist *.egg-info
