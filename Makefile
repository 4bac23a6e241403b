# The only commands to learn. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
READY := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo up down test check fmt contracts bench chaos lock

help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

demo: $(READY) ## the whole mission live on this machine, from video to payout; EXIT=1 ends after it
	@$(RUN)/python -m services.console demo $(if $(EXIT),--exit)

up: $(READY) ## start the whole system on this machine, without playing anything
	@$(RUN)/python -m services.console up

down: $(READY) ## stop everything that demo or up started
	@$(RUN)/python -m services.console down

test: $(READY) ## every test, on throwaway servers (GROUPBUY_TEST_INFRA=auto|docker|local)
	$(RUN)/python -m pytest $(ARGS)

check: $(READY) ## format, lint, types, imports, contracts
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy shared services tests bench
	$(RUN)/lint-imports
	$(RUN)/python -m services.console.documents check

fmt: $(READY) ## format and mend what can be mended
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

contracts: $(READY) ## write the schema snapshots, docs/asyncapi and docs/openapi
	$(RUN)/python -m services.console.documents write

bench: $(READY) ## measure the hot paths against their naive limits; writes bench/results.json
	$(RUN)/python -m bench

chaos: $(READY) ## kill everything under load, then audit: SEED=1 MINUTES=1
	$(RUN)/python -m tests.chaos --seed $(or $(SEED),1) --minutes $(or $(MINUTES),1)

lock: ## resolve the requirements again (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -q -o requirements-dev.lock
	uv pip compile pyproject.toml -c requirements-dev.lock --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -q -o requirements.lock

$(READY): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; PYTHON=/path/to/python3.12 make … chooses one"; exit 1; }
	@test -x $(RUN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "python -m venv failed; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "… installing the locked packages into $(VENV)"
	@$(RUN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@ln -sf ../../bin/groupbuy $(RUN)/groupbuy
	@touch $@
