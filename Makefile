# The two commands: `make up` and `make test`. `make help` lists all.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
# The states here are encrypted with a passphrase of this checkout, made at the first `make up` and kept by `make down`.
export PULUMI_CONFIG_PASSPHRASE_FILE ?= $(CURDIR)/.pulumi-local/passphrase

# Images for containers often forbid bytecode. Without it every command compiles Pulumi's SDK anew: 3.3 s instead of 1.3 s.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up down test test-fast test-lab bench lint format docs pictures istio-types provider-schema lock clean

# `kubectl get crds -o yaml` has them too, or the chart istio/base.
CRDS ?= ../shared/istio/crds-1.30.3.yaml

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/' | expand -t 12

.venv/ready: requirements.txt tools/bootstrap.txt pyproject.toml
	@tools/prerequisites $(PYTHON)
	@echo "installing the pinned packages into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/bootstrap.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# Google's SDK is for those who make clusters there, and for the tests: 135 to 290 MB on disk.
.venv/gcp: .venv/ready requirements-gcp.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-gcp.txt
	@touch $@

# Pulumi's SDK for policies asks for an older protobuf than the rest, so the pack has an environment of its own.
.venv-policy/ready: .venv/ready requirements-policy.txt
	@$(BIN)/uv venv --quiet --clear --python $(PYTHON) .venv-policy
	@$(BIN)/uv pip install --quiet --python .venv-policy/bin/python --require-hashes -r requirements-policy.txt
	@touch $@

.pulumi-local/passphrase:
	@mkdir -p -m 700 .pulumi-local
	@umask 077; $(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(32))' > $@

up: .venv/ready ## two API servers, and a two-cluster mesh applied to them
	@$(BIN)/mesh lab up
	@$(MAKE) --no-print-directory .pulumi-local/passphrase
	@$(BIN)/mesh up --stack local --engine local --yes
	@tools/look-around

down: ## take the mesh away and stop the API servers
	@if [ -x $(BIN)/mesh ]; then tools/down; else echo "nothing runs here"; fi

test: test-fast test-lab ## all tests: unit and program tests, then those on real API servers

test-fast: .venv/gcp .venv-policy/ready ## tests that need no API server
	@$(BIN)/python -m pytest -n 2 -m 'not lab' tests

# Three processes on two cores: a test on API servers waits for them most of the time.
test-lab: .venv/ready ## tests on real API servers
	@$(BIN)/mesh lab build
	@$(BIN)/python -m pytest -n 3 --dist loadgroup --no-loadscope-reorder tests/lab

bench: .venv/ready ## speed and memory, measured now on this machine
	@$(BIN)/python -m tests.bench

lint: .venv/ready ## ruff and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy mesh_components meshctl tests tools/istio_types __main__.py
	@$(BIN)/mypy provider/__main__.py # two files of the name __main__ are too many at once

format: .venv/ready ## let ruff put the code into form
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

docs: .venv/ready ## build the site into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

pictures: .venv/ready ## draw docs/images from the stack files, and the page of `mesh graph` as Chromium shows it
	@for file in stacks/Pulumi.*.yaml; do \
	  stack=$${file#stacks/Pulumi.}; stack=$${stack%.yaml}; \
	  $(BIN)/mesh graph --stack $$stack --output docs/images/recipes/$$stack.svg; \
	done
	@$(BIN)/python -m tests.browser.pictures docs/images/graph

istio-types: .venv/ready ## write mesh_components/istio from the CRDs of a version of Istio: CRDS=<file>
	@$(BIN)/python -m tools.istio_types $(CRDS)

provider-schema: .venv/ready ## write provider/schema.json, what programs in other languages see of the components
	@$(BIN)/python -m mesh_components.provider > provider/schema.json.new && mv provider/schema.json.new provider/schema.json

lock: .venv/ready ## pin the newest packages that pyproject.toml allows, with hashes
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade --extra dev --extra docs pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade --extra gcp -c requirements.txt pyproject.toml -o requirements-gcp.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade --extra policy pyproject.toml -o requirements-policy.txt

clean: down ## remove what was built here
	@rm -rf .venv .venv-policy .mypy_cache .ruff_cache .pytest_cache .hypothesis site build *.egg-info
