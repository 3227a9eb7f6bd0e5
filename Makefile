# One command each; `make help` lists them. Everything is installed into .venv and node_modules of this folder.
SHELL := /bin/sh
PYTHON := .venv/bin/python
STAMP := .venv/.installed
ASSETS := node_modules/.package-lock.json
ARGS ?=
BENCH ?= all

.PHONY: help setup demo run test test-all soak check fmt tour bench shell clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) $(ASSETS) ## install everything this folder needs; quick the second time

$(STAMP): requirements/base.txt requirements/dev.txt scripts/make-environment
	@sh scripts/make-environment requirements/dev.txt
	@touch $@

$(ASSETS): package.json package-lock.json $(STAMP)
	@sh scripts/fetch-assets
	@touch $@

demo: setup ## send a campaign to a contacts file; ARGS="--once --contacts FILE"
	@$(PYTHON) manage.py demo $(ARGS)

run: setup ## every process, until Ctrl-C
	@$(PYTHON) manage.py run $(ARGS)

test: setup ## what CI runs, under five minutes
	@$(PYTHON) -m pytest -n 2 -m "not slow and not tour" $(ARGS)

soak: setup ## every fault ten times at random moments, written to docs/soak.md; ARGS="--rounds 2 --seed 7"
	@$(PYTHON) -m bench.soak $(ARGS)

test-all: setup ## every test, also on Debian's PostgreSQL 15
	@sh scripts/test-all $(ARGS)

check: setup ## formatting, lint, types, import contracts
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy .
	@.venv/bin/lint-imports
	@git ls-files '*.html' | xargs .venv/bin/djade --target-version 5.2 --check

fmt: setup ## format everything
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .
	@git ls-files '*.html' | xargs .venv/bin/djade --target-version 5.2 || true

tour: setup ## take the pictures of docs/tour.md
	@$(PYTHON) -m pytest -m tour tests/e2e $(ARGS)

bench: setup ## measure; BENCH=name runs one
	@$(PYTHON) -m bench $(BENCH) $(ARGS)

shell: setup ## Django's shell
	@$(PYTHON) manage.py shell

clean: ## remove what was installed and made here
	rm -rf .venv node_modules .data
