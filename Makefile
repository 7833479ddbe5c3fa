# Two commands are enough: make run, make test. Each does its own set-up.

export PORT ?= 8000
export COMPTOIR_HOME ?= var
export PYTHONDONTWRITEBYTECODE = # compiled once, not at each start of each process

python = .venv/bin/python

.PHONY: help run test check format lint types imports published bench lock set-up

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

run: set-up ## Everything on this machine, until Ctrl-C (PORT, COMPTOIR_HOME)
	@$(python) cli.py run

test: set-up ## The tests (ARGS="-k sale" for pytest)
	@$(python) -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: set-up ## Format, lint, types, import rules, published schema, GraphQL over HTTP, schemathesis, a browser, benchmarks, clients
	@bin/set-up audit
	@$(MAKE) -s -j2 --output-sync=target --no-print-directory types format lint imports published $(audits) $(examples)
	@echo '▸ A real browser, benchmarks run, documents of schemathesis, example clients, GraphQL over HTTP'
	@$(python) -m pytest -n 2 --dist loadfile --no-loadscope-reorder \
		tests/browsing.py tests/benchmarking.py tests/http/fuzzing.py tests/examples/clients.py tests/http/audits.py

format:
	@echo '▸ Format'
	@$(python) -m ruff format --check .

lint:
	@echo '▸ Lint'
	@$(python) -m ruff check .

types:
	@echo '▸ Types'
	@$(python) -m mypy .

imports:
	@echo '▸ Import rules'
	@$(python) -c 'import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_logo=True))'

published:
	@echo '▸ Published schema'
	@$(python) cli.py schema --check

bench: set-up ## What is claimed of speed, in some three minutes (ARGS="webhook" for one)
	@$(python) -m benchmarks $(ARGS)

audits = tests/http/node_modules/.package-lock.json
examples = examples/typescript/node_modules/.package-lock.json examples/python/.venv/installed

%/node_modules/.package-lock.json: %/package-lock.json
	@.venv/bin/npm ci --prefix $* --prefer-offline --loglevel error >/dev/null || { \
		echo "error: $* could not be installed from npm's registry: see above, then try again." >&2; exit 1; }

examples/python/.venv/installed: examples/python/requirements.lock
	@$(python) -m venv --clear examples/python/.venv
	@examples/python/.venv/bin/python -m pip install -q --disable-pip-version-check --no-input --require-hashes -r $< || { \
		echo "error: examples/python could not be installed: see above, then try again." >&2; exit 1; }
	@touch $@

compile = $(python) -m uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header -q

lock: set-up ## All locks from pyproject.toml (ARGS=--upgrade for newer versions)
	@$(compile) $(ARGS) pyproject.toml -o requirements.lock
	@$(compile) $(ARGS) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	@$(compile) $(ARGS) --group audit -c requirements-dev.lock -o requirements-audit.lock
	@$(compile) $(ARGS) examples/python/pyproject.toml -o examples/python/requirements.lock

set-up: ## The virtual environment alone (done by every command)
	@bin/set-up
