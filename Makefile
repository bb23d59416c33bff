# Each target does its own set-up (tools/setup), which takes no time where it stands already.
.PHONY: help demo test lint docs linkcheck setup clean

help:
	@echo "make demo   the whole path on the simulated tissue; pictures in demo-output/"
	@echo "make test   style, types, layers, manifest, tests, and the wheel in an empty environment"
	@echo "make lint   style, types, layers and manifest only"
	@echo "make docs   the documentation, build/docs/index.html; warnings are errors"
	@echo "make linkcheck  asks every address in the documentation; needs the network"
	@echo "make setup  .venv and the system libraries, nothing else"
	@echo "make clean  remove everything that the others made"

demo: setup
	tools/with_display .venv/bin/napari-gluer demo --out demo-output

test: setup
	tools/test

lint: setup
	tools/lint

docs: setup
	tools/docs

linkcheck: setup
	tools/docs linkcheck

setup:
	@tools/setup

clean:
	rm -rf .venv build dist demo-output .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
