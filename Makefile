# Two commands set everything up on a machine with Python >= 3.11 and make:
#   make chat                      talk to it (MESSAGE="…" answers one message and ends; MODEL=openai:gpt-4.1-mini)
#   make test                      run every check

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --constraint constraints.txt
SOURCES := pyproject.toml constraints.txt

.PHONY: chat test check constraints wheel clean

GIVEN := $(origin MESSAGE)
# The message reaches the shell through the environment, dollar signs and quotes untouched.
override export MESSAGE := $(value MESSAGE)
MODEL_FLAG = $(if $(MODEL),--model "$(MODEL)")

chat: $(VENV)/.chat
ifeq ($(GIVEN),undefined)
	@$(BIN)/hef chat $(MODEL_FLAG)
else
	@$(BIN)/hef reply $(MODEL_FLAG) "$$MESSAGE"
endif

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with PYTHON=…" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.chat: $(SOURCES) | $(BIN)/python
	@test -e $(VENV)/.test || { echo "Setting up (a minute or two, once) …" >&2; $(PIP) --editable '.[openai]'; }
	@touch $@

$(VENV)/.test: $(SOURCES) | $(BIN)/python
	@echo "Setting up (a minute or two, once) …" >&2
	@$(PIP) --editable '.[openai,huggingface,eval,serve,dev]'
	@touch $@ $(VENV)/.chat

constraints: $(VENV)/.test
	@$(PIP) --editable '.[openai,huggingface,train,eval,serve,dev]'
	@{ echo "# Every version that 'make chat' and 'make test' install, written by 'make constraints' (torch is the CPU build)."; \
		$(BIN)/pip freeze --exclude-editable | sed 's/+cpu//; s/ @ .*//' | sort -fu; } > constraints.new && mv constraints.new constraints.txt

wheel: $(VENV)/.test
	$(BIN)/python -m build --wheel --no-isolation

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
