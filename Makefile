# Two commands set everything up on a machine with Python >= 3.11 and make:
#   make chat                      talk to it (MESSAGE="…" answers one message and ends; MODEL=openai:gpt-4.1-mini)
#   make test                      run every check
# And for developers:
#   make studio                    serve the graph for LangGraph Studio and Agent Chat UI (BROWSER=1 opens Studio)
#   make test-lowest, test-latest  run the tests on the lowest and the latest versions of LangChain and LangGraph
#   make fuzz                      try what users could write against every property, 10,000 examples each (FUZZ=100000)
#   make audit                     look for known vulnerabilities of the pinned versions (STRICT=1: no answer is a failure)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --constraint constraints.txt
SOURCES := pyproject.toml constraints.txt

.PHONY: chat studio test test-lowest test-latest check fuzz audit constraints wheel clean

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

# One job at a time, the server's default, lets every run wait a second in the queue.
studio: $(VENV)/.studio
	@LANGGRAPH_CLI_NO_ANALYTICS=1 $(BIN)/langgraph dev --n-jobs-per-worker 4 $(if $(BROWSER),,--no-browser)

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(ONE_THREAD) $(BIN)/python -m pytest $(PARALLEL)

# Many tests wait: side by side they take about half as long, if torch keeps to one core each.
ONE_THREAD := OMP_NUM_THREADS=1
PARALLEL := --numprocesses 2 --dist worksteal

# What meets LangChain or LangGraph is tested on other versions of them. Each set of versions has an environment of its
# own, to which $(VENV) lends everything else.
FAMILY := langchain|langgraph|langsmith|openai
# Training, evaluation, the wheel and long runs of the grammar: the same on any version.
STRANGERS := $(addprefix --ignore=tests/,sem evaluation tools test_package.py) \
	--deselect=tests/chat/test_local.py::test_a_hundred_of_a_hundred_replies_fit_the_schema

test-lowest test-latest: test-%: .versions/%
	@$(BIN)/uv pip freeze --quiet --python $< | grep -E '^($(FAMILY))'
	HEF_VERSIONS=$* $(ONE_THREAD) $</bin/python -m pytest $(PARALLEL) $(STRANGERS)

.PHONY: .versions/lowest .versions/latest
.versions/lowest .versions/latest: $(VENV)/.test
	@rm -rf $@ && $(BIN)/python -m venv --without-pip $@
	@echo "import site; site.addsitedir('$$(echo $(CURDIR)/$(VENV)/lib/python*/site-packages)')" \
		> $$(echo $@/lib/python*/site-packages)/lent.pth
	@grep -oE '"($(FAMILY))[a-z-]*>=[^"]*' pyproject.toml | tr -d '"' | grep -v tests > $@/family.txt
	@grep -vE '^($(FAMILY)|#)' constraints.txt > $@/others.txt
	@echo certifi > $@/any.txt
	@$(BIN)/uv pip install --quiet --python $@ --requirement $@/family.txt --constraint $@/others.txt $(CHOICE)

.versions/lowest: CHOICE = --resolution lowest-direct
# New releases of langchain-core ask for a certifi that not every mirror has yet; they work with any.
.versions/latest: CHOICE = --override $@/any.txt

FUZZ ?= 10000

fuzz: $(VENV)/.test
	HEF_FUZZ_EXAMPLES=$(FUZZ) $(ONE_THREAD) $(BIN)/python -m pytest -m fuzz $(PARALLEL) --durations 0

audit: $(VENV)/.test
	@$(BIN)/python tools/audit.py $(if $(STRICT),--strict)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with PYTHON=…" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.chat: $(SOURCES) | $(BIN)/python
	@test -e $(VENV)/.test || { echo "Setting up (a minute or two, once) …" >&2; $(PIP) --editable '.[openai]'; }
	@touch $@

$(VENV)/.studio: $(SOURCES) | $(BIN)/python
	@test -e $(VENV)/.test || { echo "Setting up (a minute or two, once) …" >&2; $(PIP) --editable '.[openai,studio]'; }
	@touch $@ $(VENV)/.chat

$(VENV)/.test: $(SOURCES) | $(BIN)/python
	@echo "Setting up (a minute or two, once) …" >&2
	@$(PIP) --editable '.[openai,huggingface,eval,serve,studio,dev]'
	@touch $@ $(VENV)/.chat $(VENV)/.studio

constraints: $(VENV)/.test
	@$(PIP) --editable '.[openai,huggingface,train,eval,serve,studio,dev]'
	@{ echo "# Every version that 'make chat', 'make studio' and 'make test' install, written by 'make constraints' (torch is the CPU build)."; \
		$(BIN)/pip freeze --exclude-editable | sed 's/+cpu//; s/ @ .*//' | sort -fu; } > constraints.new && mv constraints.new constraints.txt

wheel: $(VENV)/.test
	$(BIN)/python -m build --wheel --no-isolation

clean:
	rm -rf $(VENV) .versions dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks .langgraph_api
