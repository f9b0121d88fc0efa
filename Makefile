# `make check` is what a change must pass; `make soak` is the long runs. .ci/run does both from nothing.
UV ?= uv run --group checks
CODE = src tests benchmarks examples scripts
# Coverage makes a test twice as slow.
TRACED = --timeout 240 -o faulthandler_timeout=270
# Without compiled files each test process compiles all of its imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: check lint types layers generated test postgresql soak coverage format generate snapshots linters clients migration mutants bench demo \
	bundle bundle-check release-check workflows pictures views views-check browser

check: # the types need only one core, so the others run at the same time
	@$(MAKE) --no-print-directory --jobs 2 types lint layers generated test

lint:
	$(UV) ruff format --check $(CODE)
	$(UV) ruff check $(CODE)

types: # with more space for short-lived objects Node.js spends a tenth less time on collecting them
	NODE_OPTIONS=--max-semi-space-size=128 $(UV) pyright

layers:
	$(UV) lint-imports --no-cache

generated:
	$(UV) python scripts/generate.py --check

test:
	$(UV) pytest

postgresql:
	$(UV) python scripts/postgresql.py pytest -m "postgresql and not soak"

soak:
	$(UV) pytest -m soak --timeout 900 -o faulthandler_timeout=930

conformance:
	$(UV) python scripts/conformance.py

coverage: # only with PostgreSQL does our code run in greenlets; pyproject.toml says why these need a run of their own
	$(UV) coverage erase
	$(UV) coverage run -m pytest $(TRACED)
	$(UV) coverage run --concurrency greenlet -m pytest $(TRACED) -m "postgresql and not soak"
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

clients: # only="claude-code inspector" for these alone
	$(UV) python scripts/real_clients.py $(only)

migration: # m="what it changes", after tables.py was changed
	$(UV) python scripts/migration.py "$(m)"
	$(UV) ruff format src/trips_mcp/backend/store/migrations

mutants: # only="trips_mcp.client.session*" for those of one module; what survives is listed, `mutmut show NAME` shows one
	uv run --group mutants mutmut run --max-children 1 $(only)
	uv run --group mutants mutmut results

bench:
	uv run --isolated --no-dev --compile-bytecode python benchmarks/run.py

demo:
	uv run trips-mcp demo

bundle:
	$(UV) python scripts/bundle.py

bundle-check:
	$(UV) python scripts/bundle.py --check

release-check:
	$(UV) python scripts/release.py

workflows:
	$(UV) python scripts/workflows.py

views: # after views/ was changed: the page of a trip, into the package
	$(UV) python scripts/views.py

views-check:
	$(UV) python scripts/views.py --check

browser: # only="chat" for these alone; the page in Chromium, in a host too
	$(UV) python scripts/browser.py $(only)

pictures: # after the icon or what the demo says was changed
	$(UV) scripts/pictures.py
