# `make demo` does the main job on a fresh Debian 12; `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TARGET ?= qemu-m4
RECIPE ?= sine
TIME ?= 600
COUNT ?= 1000000
SEED ?= 1
TESTS ?= not long
WORKERS ?= 3
ZOO ?= zoo

# Some containers set it. Tests and benchmarks start hundreds of processes, and each would compile our modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## List the targets of this Makefile
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: system
system: ## Install the system packages (as root), or say the command that does
	@tools/system-packages

# The stamp is newer than everything that decides what is installed, so a second call does nothing.
$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.PHONY: install
install: system $(STAMP) ## Set up everything in .venv

.PHONY: demo
demo: install ## Train, build, run on an emulated Cortex-M4, print the verdict, write the report
	$(BIN)/tinyhil run $(RECIPE) --target $(TARGET)

.PHONY: test
test: install ## Run the unit tests and the hardware-in-the-loop tests on $(TARGET); TESTS= for the long ones too
	@rm -f build/test-seconds
	@started=$$(date +%s); set -x; \
	$(BIN)/python -m pytest host/tests hil_tests --target $(TARGET) -m "$(TESTS)" -n $(WORKERS) --durations=10 || exit; \
	{ set +x; } 2>/dev/null; \
	[ "$(TESTS)" != "not long" ] || { mkdir -p build && echo $$(($$(date +%s) - started)) > build/test-seconds; }

.PHONY: test-long
test-long: install ## Run the long tests: self-test, soak, fuzzers, wheel, venvs, the report in a browser
	@tools/system-packages fuzz
	@tools/system-packages browser
	@tools/system-packages emulators
	$(MAKE) test TESTS=long

.PHONY: fresh
fresh: ## Run `make demo` and `make test` of the last commit on a bare Debian, set up in a temporary folder (as root)
	@tools/system-packages fresh
	@tools/fresh

.PHONY: lint
lint: install ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: schema
schema: install ## Write docs/report.schema.json and docs/report.md from the classes of the report
	$(BIN)/python -c 'import json; from tinyhil.report import files; print(json.dumps(files.schema(), indent=2))' > docs/report.schema.json
	$(BIN)/python -c 'from tinyhil.report import catalogue; print(catalogue.page(), end="")' > docs/report.md

.PHONY: errors
errors: install ## Write docs/errors.md from the catalogue of errors
	$(BIN)/python -c 'from tinyhil import kinds; print(kinds.page(), end="")' > docs/errors.md

.PHONY: diagram
diagram: install ## Write the diagram of docs/protocol.md from the table of the host's states
	$(BIN)/python tools/write-diagram

.PHONY: pictures
pictures: install ## Train and run the recipes, and draw the pictures of docs/recipes.md (about 6 minutes)
	$(BIN)/python tools/write-pictures

.PHONY: readme-pictures
readme-pictures: install ## Record a run in a terminal and photograph its report, for README.md
	@tools/system-packages browser
	$(BIN)/python tools/write-terminal-svg
	$(BIN)/python tools/write-report-picture

.PHONY: monitor-pictures
monitor-pictures: install ## Photograph the monitor of the sine in a browser, for docs/monitor.md
	@tools/system-packages browser
	$(BIN)/python tools/write-monitor-pictures

.PHONY: changelog
changelog: install ## Show what changes/ will add to CHANGELOG.md
	$(BIN)/towncrier build --draft --version unreleased

.PHONY: platformio-ini
platformio-ini: install ## Write the root platformio.ini from the target files
	$(BIN)/python tools/write-platformio-ini

.PHONY: fuzz
fuzz: install ## Fuzz the decoders and the server, $(TIME) seconds each
	@tools/system-packages fuzz
	$(BIN)/python -m host.tests.fuzz.run --seconds $(TIME)

.PHONY: hostile
hostile: install ## Feed hostile files (SEED) to every reader and to whole runs, $(TIME) seconds each; goes on where it was
	$(BIN)/python -m host.tests.hostile.run --seconds $(TIME) --seed $(SEED)

.PHONY: flips
flips: install ## Flip every byte of the sine's .tflite with two masks, and run each on sim from end to end
	$(BIN)/tinyhil quantize sine
	$(BIN)/python -m host.tests.hostile.flips build/sine/model/int8/model.tflite

.PHONY: bench
bench: install ## Time the commands that should be quick, and the link
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/native_link.py

.PHONY: bench-history
bench-history: install ## Time tinyhil history over 100,000 runs (about two minutes)
	$(BIN)/python benchmarks/history.py

.PHONY: budgets
budgets: install ## Check the limits of times, sizes and instructions that stay, and print them
	$(BIN)/python benchmarks/budgets.py

.PHONY: instructions
instructions: install ## Run the recipes on every emulator, and write the table of instructions of docs/targets.md
	@tools/system-packages emulators
	$(BIN)/python benchmarks/instructions.py

.PHONY: bench-train
bench-train: install ## Train sine and digits by Keras' fit and by compiled epochs, and compare (about 3 minutes)
	$(BIN)/python benchmarks/train.py

.PHONY: bench-matrix
bench-matrix: install ## Time 3 recipes on 5 targets, at once and one after the other (some 3 minutes on two idle cores)
	$(BIN)/python benchmarks/matrix.py

.PHONY: zoo
zoo: install ## Run every model file of the folder ZOO on qemu-m4 and sim; the table is in build/zoo.md too
	$(BIN)/tinyhil models $(ZOO) --target qemu-m4 --engine compiled --target sim --engine tflm-host --markdown build/zoo.md

.PHONY: goodput
goodput: install ## Measure the link on a modelled wire, beside a text protocol, and beside a bare echo
	$(BIN)/python benchmarks/goodput.py

.PHONY: line-rate
line-rate: install ## Run digits over a modelled wire at 115,200 and at 921,600 bit/s (about 90 seconds)
	$(BIN)/python benchmarks/line_rate.py

.PHONY: soak
soak: install ## Send COUNT inferences through a bad line (SEED); 0 wrong, 0 lost, 0 counted twice
	$(BIN)/python benchmarks/soak.py --count $(COUNT) --seed $(SEED)

.PHONY: clean
clean: ## Remove what was built (not the venv)
	rm -rf build dist
