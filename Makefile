# One command each: `make demo` tags an article, `make check` runs every check.
# Both set up what they need in .venv/ first.

VENV ?= .venv
BIN := $(VENV)/bin
DEMO_READY := $(VENV)/.ready-demo
CHECK_READY := $(VENV)/.ready-check
ENGINES_READY := $(VENV)/.ready-engines
NEURAL_READY := $(VENV)/.ready-neural
ARTICLE := data/raw/001_f4a570d29b7f2e03.txt
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& { echo $$p; break; }; done)

.PHONY: demo check check-engines check-neural format docs soak bench clean

demo: $(DEMO_READY)
	$(BIN)/topicml classify $(ARTICLE)

# the tests: a thread of arithmetic each, for two processes share two cores
check: $(CHECK_READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/topicml labels check
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --cov
	$(BIN)/python benchmarks/quality_gate.py

check-engines: $(ENGINES_READY)
	$(BIN)/pytest tests/engines

check-neural: $(NEURAL_READY)
	$(BIN)/pytest tests/network
	$(BIN)/topicml models fetch-base alliance-topics-accurate
	$(BIN)/python benchmarks/network_gate.py

format: $(CHECK_READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(CHECK_READY)
	$(BIN)/python -m typer topicml.cli.tree utils docs --name topicml --output docs/cli.md

soak: $(CHECK_READY)
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest -n 2 -m "soak or not soak"

bench: $(CHECK_READY)
	$(BIN)/python benchmarks/cold_start.py
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/fresh_process.py
	$(BIN)/python benchmarks/batch.py
	$(BIN)/python benchmarks/serve.py

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed: install one, or say which with make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Could not make $(VENV). On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

$(DEMO_READY): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[batch]'
	@touch $@

$(CHECK_READY): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[articles,batch,labels,mlflow,remote,report,review,watch,dev]'
	@touch $(DEMO_READY) $@

$(ENGINES_READY): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[batch,ray,spark,dev]'
	@touch $@

$(NEURAL_READY): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[neural,batch,dev]'
	@touch $@
