# One word for each thing to do; `make` alone lists them. Every word sets up what it needs: tools/setup.sh.

JOBS ?= 2
PYTHON := .venv/bin/python
EDGEKIT := .venv/bin/edgekit
TARGET ?= esp32
MUTANTS ?= 20000
GRAPHS ?= 150
LAYERS ?= 2000
CORE_LAYERS ?= 600
C_FILES = git ls-files -z 'firmware/*.c' 'firmware/*.h' 'firmware/*.cc'

.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz networks techniques check format bench costs readme notebook train clean

help: ## list these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing: Debian packages, .venv, Python packages
	@tools/setup.sh

demo: setup ## build the digits model for the ESP32, run it on an emulated core, show RAM and instructions
	@$(EDGEKIT) build models/digits --target $(TARGET) --sparsity 0.5 --optimize speed --out build/digits-$(TARGET)
	@$(EDGEKIT) bench build/digits-$(TARGET) --target $(TARGET)

test: check ## every check and test that needs no board (JOBS=2 processes)
	@$(PYTHON) -m pytest -n $(JOBS) --dist worksteal

fuzz: setup ## damaged models against the guard; layers, random graphs against the judges (MUTANTS=, LAYERS=, GRAPHS=, SEED=)
	@PYTHONPATH=tests/kernels $(PYTHON) tests/fuzz/campaign.py --mutants $(MUTANTS) $(if $(SEED),--seed $(SEED)) --keep build/fuzz
	@EDGEKIT_FUZZ_GRAPHS=300 $(PYTHON) -m pytest -q tests/fuzz -k converter --timeout 3600
	@$(PYTHON) -m pytest -q -n $(JOBS) tests/differential --every-plan --graphs $(GRAPHS) --first-graph $(or $(SEED),1000000)
	@$(PYTHON) -m pytest -q -n $(JOBS) tests/kernels/test_layer_cases.py --layers $(LAYERS) --first-layer $(or $(SEED),1000000)
	@$(PYTHON) -m pytest -q -n $(JOBS) tests/kernels/test_forms.py --layers $(LAYERS) --first-layer $(or $(SEED),1000000)
	@$(PYTHON) -m pytest -q -n $(JOBS) tests/emulated/test_layers_on_cores.py --layers $(CORE_LAYERS) \
	  --first-layer $(or $(SEED),1000000)

networks: setup ## convert networks of keras.applications and run them in TFLM and aot (minutes)
	@EDGEKIT_NETWORKS=all $(PYTHON) -m pytest -q -s tests/conversion/test_networks.py --timeout 3600

techniques: ## run every row of docs/techniques.md and write it (ROWS="tying low_rank" for some; 40 minutes for all)
	@tools/setup.sh build develop retrain
	@$(PYTHON) tools/techniques $(ROWS)

check: setup ## style and types: ruff, mypy, clang-format
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(C_FILES) | xargs -0 -r clang-format --dry-run -Werror

format: setup ## bring Python and C into the project's format
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .
	@$(C_FILES) | xargs -0 -r clang-format -i

bench: setup ## models on targets with each plan: writes docs/measurements.md and the counts that CI holds (CELLS="esp32 digits,cortex-m4" for some)
	@JOBS=$(JOBS) $(PYTHON) tools/measurements $(CELLS)

costs: setup ## measure what kernels cost on emulated cores: writes edgekit/engine/costs (CORES="dsp rv32" for some; minutes each)
	@PYTHONPATH=tests/kernels $(PYTHON) tools/costs $(CORES)

readme: setup ## run the demo and put what it prints into README.md
	@$(MAKE) -s --no-print-directory demo | $(PYTHON) tools/paste_demo.py

notebook: setup ## run docs/compress.ipynb and keep what it prints in it
	@$(PYTHON) tools/notebook.py

train: ## make the data of models/ again and train them (minutes each)
	@tools/setup.sh build develop retrain
	@for model in models/*/train.py; do $(PYTHON) "$$model" || exit; done

clean: ## remove builds and caches of tools; .venv stays
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
