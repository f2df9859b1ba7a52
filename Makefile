# Works on a fresh Debian machine: every target prepares what it needs (scripts/setup).

BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint e2e e2e-images bench docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what is missing: Debian packages (as root), .venv, rescue
	@scripts/setup

demo: setup ## See rescue find the cause of a crash loop, on real containers
	@$(BIN)/rescue demo

test: setup lint ## Run the linters and all tests
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=line e2e-tests other-tests

# Side by side, because the end-to-end tests mostly wait.
.PHONY: e2e-tests other-tests
e2e-tests:
	$(BIN)/pytest tests/e2e
other-tests:
	$(BIN)/pytest tests --ignore=tests/e2e

lint: setup ## Run ruff, mypy and shellcheck
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/shellcheck --check-sourced --external-sources $$(scripts/shell-files)

e2e: setup ## Run the end-to-end suite on the sandbox, or on a cluster: CONTEXT=name
	$(BIN)/pytest -m e2e tests/e2e $(if $(CONTEXT),--context '$(CONTEXT)')

e2e-images: setup ## Write the suite's images to dist/e2e-images, to load on a cluster
	$(BIN)/python -m tests.e2e.images dist/e2e-images

bench: setup ## Measure how long a plan takes
	@$(BIN)/python -m bench.plan

docs: setup ## Write the generated parts of the README anew
	$(BIN)/python -m tests.readme

clean: ## Remove everything that the other targets made here
	rm -rf .venv dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
