# The two commands of the README are `make site` and `make test`; everything they need is set up inside.
# OPTIONS are those of `polybook execute` and `polybook check`: make execute OPTIONS="-j 2".
# Environments are ready when their stamp exists, so an interrupted set-up is taken up again.
# `make execute GPU=1` installs the frameworks' builds for NVIDIA GPUs, in the pinned versions.
# `make test FRAMEWORKS="pytorch tensorflow jax"` does without the frameworks that this machine cannot have.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
FRAMEWORKS := pytorch tensorflow jax mxnet
POLYBOOK := .venv/bin/python -m polybook
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

.PHONY: site test test-style test-book nbval execute serve check library notebooks screenshots bench faults seeds clean

site: .venv/site.stamp
	$(POLYBOOK) build

serve: .venv/site.stamp
	$(POLYBOOK) serve

check: .venv/site.stamp
	$(POLYBOOK) check $(OPTIONS)

library notebooks: .venv/site.stamp
	$(POLYBOOK) $@

execute: .venv/site.stamp $(FRAMEWORKS:%=.venvs/%/$(if $(GPU),gpu,ready).stamp)
	$(POLYBOOK) execute $(FRAMEWORKS:%=--framework %) $(OPTIONS)

test: .venv/test.stamp $(FRAMEWORKS:%=.venvs/%/ready.stamp)
	@command -v chromium >/dev/null || { \
	  echo "make test needs Chromium for the browser tests: apt-get install chromium fonts-noto-cjk"; exit 2; }
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target test-style test-book $(FRAMEWORKS:%=test-%)

# The parts of `make test`, of which two run at a time.
test-style: .venv/test.stamp
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	cd engine && ../.venv/bin/python -m mypy

test-book: .venv/test.stamp
	.venv/bin/python -m pytest

test-%: .venvs/%/ready.stamp
	.venvs/$*/bin/python -m pytest tests/library

# The built notebooks, cell by cell and in seconds, as a reader would run them.
nbval: notebooks $(FRAMEWORKS:%=nbval-%)

nbval-%: .venvs/%/ready.stamp
	D2L_SMOKE=1 OMP_NUM_THREADS=1 PYTHONPATH="$(CURDIR):$(CURDIR)/engine/src" .venvs/$*/bin/python -m pytest -p polybook.nbval \
	  --override-ini filterwarnings=default --nbval-lax --nbval-current-env --nbval-results outputs/$* \
	  _build/notebooks/jupyter/en/$*

# The pictures in the README, from the site as it is; needs Chromium.
screenshots: .venv/test.stamp
	.venv/bin/python -m pytest tests/screenshots.py

# The tests of faults, each at many random moments: ten minutes or so.
faults: .venv/test.stamp
	POLYBOOK_ROUNDS=50 .venv/bin/python -m pytest engine/tests/test_running.py -k loses_nothing

bench: .venv/test.stamp
	.venv/bin/python benchmarks/parsing.py
	.venv/bin/python benchmarks/status.py
	.venv/bin/python benchmarks/execution.py

# The seed chapters, in the folder that POLYBOOK_SEEDS names, for every framework that has an environment.
seeds: .venv/site.stamp
	.venv/bin/python benchmarks/seeds.py

.venv/site.stamp: requirements.txt engine/pyproject.toml
	"$(PYTHON)" -m venv .venv
	.venv/bin/python $(PIP_INSTALL) -r requirements.txt
	.venv/bin/python $(PIP_INSTALL) --no-deps --editable engine
	touch $@

.venv/test.stamp: .venv/site.stamp requirements/test.txt
	.venv/bin/python $(PIP_INSTALL) -r requirements/test.txt
	touch $@

# The lists are complete, so pip need not look for more: tf-keras would ask for the larger `tensorflow`.
.venvs/%/ready.stamp: requirements/%.txt
	"$(PYTHON)" -m venv .venvs/$*
	.venvs/$*/bin/python $(PIP_INSTALL) --no-deps -r requirements/$*.txt
	touch $@

# What brings a framework's build for GPUs; MXNet has none for the CUDA of today.
pinned = $(shell sed -n 's/^$(1)==//p' requirements/$(2).txt)
GPU_pytorch = torch==$(call pinned,torch,pytorch)
GPU_tensorflow = tensorflow[and-cuda]==$(call pinned,tensorflow-cpu,tensorflow)
GPU_jax = jax[cuda12]==$(call pinned,jax,jax)

# The lists are those of builds for a processor; with dependencies pip adds what the others need besides.
.venvs/%/gpu.stamp: .venvs/%/ready.stamp
	$(if $(GPU_$*),.venvs/$*/bin/python -m pip uninstall --quiet --yes torch tensorflow-cpu)
	$(if $(GPU_$*),.venvs/$*/bin/python $(PIP_INSTALL) --constraint requirements/$*.txt "$(GPU_$*)")
	touch $@

clean:
	rm -rf _build
