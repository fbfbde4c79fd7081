# `make demo` and `make test` need nothing but Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := data/bbbar_pythia8.parquet

.PHONY: demo test lint benchmark training-sample models clean

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("lamarrpy needs Python >= 3.11, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e .
	touch $@

$(VENV)/.installed-test: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[test]'
	touch $@ $(VENV)/.installed

demo: $(VENV)/.installed  ## simulate real Pythia8 events and look at the first tracks
	$(BIN)/lamarrpy run pipelines/lhcb2016.yaml $(SAMPLE) -o out/demo --overwrite
	$(BIN)/lamarrpy head out/demo

test: $(VENV)/.installed-test  ## the whole test suite
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-test  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

benchmark: $(VENV)/.installed-test  ## every promised figure, measured
	$(BIN)/lamarrpy benchmark run

training-sample: $(VENV)/.installed  ## millions of charged particles through the Detailed Simulation, in an hour
	$(BIN)/python -m pip install --quiet -e '.[generate,pythia]'
	$(BIN)/python data/make_training_sample.py training --workers 2
	$(BIN)/lamarrpy training-samples -o samples --overwrite \
		$$(printf -- '--is-muon %s ' training/hadrons_is_muon-???) $$(ls -d training/*-??? | grep -v hadrons_is_muon)

models: $(VENV)/.installed  ## every model of the pipelines anew, from the training sample; goes on where it was
	$(BIN)/python -m pip install --quiet -e '.[train]'
	$(BIN)/lamarrpy models train samples -o out/models --workers 2

clean:
	rm -rf $(VENV) out
