# Everything sets itself up: Python 3.11+, pip and make are enough.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

.PHONY: help demo test test-slow lint lock bench clean

help:
	@echo "make demo       a fictional province from seed to map (maps/demo/index.html)"
	@echo "make test       the tests (under 5 minutes on two cores)"
	@echo "make test-slow  the long ones"
	@echo "make lint       style, types, layers"
	@echo "make lock       write requirements.lock anew from pyproject.toml"
	@echo "make bench      the benchmarks"
	@echo "make clean      forget results and the environment"

$(STAMP): requirements.lock pyproject.toml
	@echo "Setting up .venv (once; takes a minute or two) ..."
	@$(PYTHON) -c "import sys; assert sys.version_info >= (3, 11), 'phusong needs Python 3.11 or newer, this is ' + sys.version"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(STAMP)

demo: $(STAMP)
	@test -f data/raw/demo/study.yml || $(BIN)/python -m phusong new demo --fictional --seed 2021
	@$(BIN)/python -m phusong run demo

test: $(STAMP)
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

test-slow: $(STAMP)
	@$(BIN)/python -m pytest -n auto --dist loadfile -m slow

lint: $(STAMP)
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports

lock:
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" --quiet pyproject.toml -o requirements.lock

bench: $(STAMP)
	@for one in benchmarks/[a-z]*.py; do echo "== $$one"; $(BIN)/python $$one || exit 1; done

clean:
	rm -rf .venv data/processed/demo data/raw/demo maps/demo
