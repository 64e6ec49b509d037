# zerofactory: `make demo` and `make test` need Python 3.11 or newer, git and make; everything else is set up here.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready
SERVE  ?= 1
# Runs that write and read the book most, tested on PostgreSQL too.
ON_BOTH := $(foreach run,alarms assurance close evaluate import package plan plant readings restate,tests/runs/test_runs_$(run).py)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: setup demo test test-postgres check bench peers lock docs clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("zerofactory needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q src
	touch $(STAMP)

# The reference plant from raw readings to a closed, sealed, explained inventory with its report.
demo: setup
	SERVE=$(SERVE) ZF="$(CURDIR)/$(BIN)/zf" bash tools/demo.sh

test: setup
	$(BIN)/python -m pytest -n auto --dist loadfile

# The tests of the book once more, with every record in PostgreSQL, on a server of the tests' own.
test-postgres: setup
	ZF_TEST_DATABASE=postgres $(BIN)/python -m pytest -n auto --dist loadfile tests/store tests/api tests/property $(ON_BOTH) \
		--ignore=tests/api/test_api_described.py

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/reference.py --check

bench: setup
	$(BIN)/python -m bench

# Other tools to measure against, in an environment of their own; `make bench` skips what is not there.
peers:
	test -x .peers/bin/python || $(PYTHON) -m venv .peers
	.peers/bin/python -m pip install --quiet -r bench/peers.txt

docs: setup
	$(BIN)/python tools/reference.py

lock:
	$(BIN)/uv pip compile --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 --all-extras --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf demo build dist .pytest_cache .mypy_cache .ruff_cache
