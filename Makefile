# Everything here works on a machine that has Python 3.11 and Node 20 and nothing else. `make help` lists it.

PYTHON ?= python3
BIN := .venv/bin
VENV := .venv/.installed
VENDOR := core/web/static/vendor
FRONT := $(VENDOR)/.copied
NODE := node_modules
ARGS ?=
PYTEST ?=
ONLY ?=
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard core/web/translations/*/LC_MESSAGES/*.po \
	plugins/*/translations/*/LC_MESSAGES/*.po))

.DELETE_ON_ERROR:
.PHONY: help install demo test check bench chaos fuzz messages browser lock licences sbom advisories clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

install: $(VENV) $(FRONT) $(CATALOGUES) ## set everything up, without starting anything

demo: install ## the four seasons of 2014 from beginning to end, then the intranet (ARGS="--no-serve --json")
	@$(BIN)/python -m plugins.four_seasons.demo $(ARGS)

test: install browser ## all tests, on embedded servers (PYTEST="-k ledger -x")
	@$(BIN)/python -m pytest -n logical $(PYTEST)

check: install ## style, types, who imports whom, translations, licences
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@for folder in examples/*; do MYPYPATH=$$folder $(BIN)/mypy $$folder/$${folder##*/} $$folder/tests || exit 1; done
	@$(BIN)/lint-imports
	@$(BIN)/python -m core.web.messages check
	@$(BIN)/python -P core/supply.py check

bench: install ## measure against floors, into bench/latest.json (ONLY=disburse)
	@$(BIN)/python -m bench $(ONLY)

chaos: install ## runs that must end well whatever is killed (ARGS="--kills 200 --seed 7")
	@$(BIN)/python -m pytest -n 0 tests/chaos $(ARGS)

fuzz: install ## every form and list, thrown at by everybody (ARGS="--fuzz 50 --seed 7")
	@$(BIN)/python -m pytest -n 0 tests/fuzzing $(ARGS)

messages: install ## take the texts of the code into the catalogues of translations
	@$(BIN)/python -m core.web.messages update

lock: install ## take new versions of the Python packages, with their digests (ARGS="--upgrade", "--upgrade-package flask")
	@$(BIN)/python -P core/supply.py lock $(ARGS)

licences: install ## write the list of all packages and their licences, docs/licences.md
	@$(BIN)/python -P core/supply.py licences

sbom: install ## the bills of material (CycloneDX) of the Python and of the front-end packages, into build/
	@$(BIN)/python -P core/supply.py sbom

advisories: install ## ask for known weaknesses of the packages; says so where that data cannot be reached
	@$(BIN)/python -P core/supply.py advisories

browser: ## Chromium and Chinese fonts for the browser tests
	@.ci/browser || true

clean: ## stop the embedded servers and remove what make has made; the data under instance/ stay
	@if [ -x $(BIN)/zhijia ] && [ -d instance ]; then $(BIN)/zhijia services stop; fi
	rm -rf .venv $(NODE) $(VENDOR) build *.egg-info bench/latest.json
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .grimp_cache
	find core plugins -name '*.mo' -delete

$(VENV): setup.cfg pyproject.toml requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Zhijia needs Python 3.11 or newer; name one with make PYTHON=..."; exit 1; }
	@echo "Installing the Python packages into .venv ..."
	@$(PYTHON) -m venv .venv
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install -qq --require-hashes -r requirements-dev.txt
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@

$(FRONT): package.json package-lock.json
	@command -v npm >/dev/null || { echo "Zhijia needs Node 20 with npm for its front-end packages."; exit 1; }
	@echo "Fetching the front-end packages ..."
	@npm ci --silent --no-progress
	@rm -rf $(VENDOR) && mkdir -p $(VENDOR)/icons/fonts
	@cp $(NODE)/@tabler/core/dist/css/tabler.min.css $(NODE)/@tabler/core/dist/js/tabler.min.js $(VENDOR)/
	@cp $(NODE)/htmx.org/dist/htmx.min.js $(NODE)/echarts/dist/echarts.min.js $(VENDOR)/
	@cp $(NODE)/china-geojson/src/geojson/shan_xi_1_geo.json $(VENDOR)/shaanxi.json
	@cp $(NODE)/@tabler/icons-webfont/dist/tabler-icons.min.css $(VENDOR)/icons/
	@cp $(NODE)/@tabler/icons-webfont/dist/fonts/tabler-icons.woff2 $(VENDOR)/icons/fonts/
	@touch $@

%.mo: %.po $(VENV)
	@$(BIN)/python -m core.web.messages compile $<
