# Everything here needs only Python (3.10 or newer) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint coverage docs bench clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   learn several overlapping streams of digits (no download)"
	@echo "make test   lint, type-check and test"
	@echo "make coverage  test, and measure which branches the tests take"
	@echo "make docs   build the documentation into docs/_build/html; warnings are errors"
	@echo "make bench  measure speed against its goals (ARGS=--quick: for under two minutes)"
	@echo "make clean  remove the environment and what the demo wrote"

# The stamp is written last: an interrupted installation is taken up again.
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable ".[dev]"
	touch $@

demo: $(VENV)/.installed
	$(BIN)/avalanche-emgd demo --output runs/demo --overwrite

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(VENV)/.coverage-installed: $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable ".[coverage]"
	touch $@

coverage: $(VENV)/.coverage-installed
	$(BIN)/coverage erase
	OMP_NUM_THREADS=1 $(BIN)/coverage run -m pytest -n auto --dist loadfile
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

$(VENV)/.docs-installed: $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable ".[docs]"
	touch $@

docs: $(VENV)/.docs-installed
	$(BIN)/python -m sphinx -W --keep-going -b html -d docs/_build/doctrees docs docs/_build/html

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks.speed $(ARGS)

clean:
	rm -rf $(VENV) runs docs/_build
