# `make check` is what a change must pass; `make soak` is the long runs. .ci/run does both from nothing.
UV ?= uv run
CODE = src tests benchmarks examples scripts

.PHONY: check lint types layers generated test soak coverage format generate snapshots linters bench demo

check: lint types layers generated test

lint:
	$(UV) ruff format --check $(CODE)
	$(UV) ruff check $(CODE)

types:
	$(UV) pyright

layers:
	$(UV) lint-imports --no-cache

generated:
	$(UV) python scripts/generate.py --check

test:
	$(UV) pytest

soak:
	$(UV) pytest -m soak --timeout 900

coverage:
	$(UV) coverage erase
	$(UV) coverage run -m pytest
	$(UV) coverage combine -q
	$(UV) coverage report

format:
	$(UV) ruff check --fix $(CODE)
	$(UV) ruff format $(CODE)

generate:
	$(UV) python scripts/generate.py

snapshots:
	UPDATE_SNAPSHOTS=1 $(UV) pytest -q -n 0 tests/tools/test_listing.py

linters:
	scripts/linters.sh

bench:
	$(UV) --isolated --no-dev --compile-bytecode python benchmarks/run.py

demo:
	$(UV) trips-mcp demo
