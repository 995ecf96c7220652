# make demo    install, simulate a telescope, make the maps and plots of four analyses
# make test    install, run the tests
#
# make help    everything else

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
  $(if $(shell $(name) -c 'import sys; sys.version_info >= (3, 11) and print("yes")' 2>/dev/null),$(name))))

export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help install install-slurm demo test test-cluster test-formats install-formats cosipy-formats test-sanitized fuzz lint check schema lock clean bench bench-peer bench-gammapy bench-showers gallery docs notebooks

help:
	@echo "make install   .venv with the pinned versions of requirements/lock.txt"
	@echo "make install-slurm  the same, and Snakemake's plug-in for SLURM"
	@echo "make demo      simulate a telescope, make the maps and plots of four analyses"
	@echo "make test      all tests but those of the cluster"
	@echo "make test-cluster  install and start SLURM (as root), run on it, break it, end it"
	@echo "make test-formats  open the files with ligo.skymap, mocpy, mhealpy, gammapy, ..."
	@echo "make test-sanitized  tests of the kernels, compiled with the sanitizers of gcc or clang"
	@echo "make fuzz      changed files of every kind: KINDS='exposure \"verify *\"', NUMBER=60"
	@echo "make lint      style, spelling, imports, types, workflow"
	@echo "make check     lint and test: what continuous integration runs"
	@echo "make bench     times and memory against their targets (5 minutes, 9 GB of disk)"
	@echo "make bench-peer  the same files with cosipy 0.3.4 and 0.4.3; SHAPE=dc2 for 11 GB of them;"
	@echo "               with SKYQUILT_DATA, the Galactic centre of Fermi with gammapy 2.1, too"
	@echo "make bench-showers  stages and runs of showers, with SKYQUILT_DATA; SHOWERS_PEER: ctapipe's"
	@echo "make gallery   docs/gallery.md from the examples of real data, with SKYQUILT_DATA"
	@echo "make docs      the site, in docs/_build/html; a warning is an error"
	@echo "make notebooks run the notebooks of the docs, in place; that of Fermi needs SKYQUILT_DATA"
	@echo "make schema    config/config.schema.yaml from the configuration's types"
	@echo "make lock      requirements/lock.txt and slurm.txt from pyproject.toml"
	@echo "make clean     remove results, cache, simulated data and compiled kernels"

install: .venv/installed

KERNELS = $(wildcard src/skyquilt/native/*.[ch]) src/skyquilt/native/build.py setup.py

.venv/installed: requirements/lock.txt pyproject.toml $(KERNELS)
	@test -n "$(PYTHON)" || { \
	  echo "skyquilt needs Python 3.11 or later, and none was found; install one, or name it:"; \
	  echo "  make install PYTHON=python3.12"; exit 2; } >&2
	@echo "installing into .venv, with $$($(PYTHON) --version)"
	$(PYTHON) -m venv .venv
	python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --requirement requirements/lock.txt --editable .
	@touch $@

# Apart, for it brings pandas into every start of Snakemake.
install-slurm: .venv/installed-slurm

.venv/installed-slurm: requirements/slurm.txt .venv/installed
	python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --requirement requirements/slurm.txt
	@touch $@

demo: install
	snakemake --profile profiles/local --configfile config/demo.yaml
	@echo "numbers and plots:"
	@ls -1 results/index.html results/*/report.html results/*/summary.json results/*/plots/*.png

# Tests of a file share what they made, and stay in one process.
test: install
	pytest -n auto --dist loadfile --durations 20

# Tests wait for SLURM most of the time, so three of them run at once, each with its own. The plug-in
# is beside .venv, which other tests may use at the same time.
test-cluster: .packages-slurm/installed
	PYTHONPATH=$(CURDIR)/.packages-slurm pytest -m cluster -n 3 tests/cluster

.packages-slurm/installed: requirements/slurm.txt .venv/installed
	rm -rf .packages-slurm
	python -m pip install --quiet --disable-pip-version-check --no-deps --target .packages-slurm \
	  --requirement requirements/slurm.txt
	@touch $@

lint: install
	ruff check
	ruff format --check
	snakefmt --check Snakefile workflow
	codespell
	lint-imports
	@start=$$(date +%s) && mypy && echo "mypy took $$(($$(date +%s) - start)) s"
	snakemake --lint --configfile config/demo.yaml

# The programs that open skyquilt's files have an environment of their own (1.5 GB).
test-formats: install install-formats
	pytest -m formats tests/formats

install-formats: .venv-formats/installed cosipy-formats

.venv-formats/installed: requirements/formats.txt
	$(PYTHON) -m venv .venv-formats
	.venv-formats/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# AddressSanitizer and UndefinedBehaviorSanitizer, where the compiler has them.
test-sanitized: install
	python tests/native/sanitized.py

KINDS ?= "*"
NUMBER ?= 60

fuzz: install
	python benchmarks/mutate.py --number $(NUMBER) --kinds $(KINDS) $(TABLE_PAGE)

# cosipy's environment is its own; without Python 3.12 its tests and figures are left out, with the
# reason.
PYTHON_312 = $(firstword $(foreach name,python3.12 $(wildcard $(HOME)/.pyenv/versions/3.12*/bin/python) $(PYTHON),\
  $(if $(shell $(name) -c 'import sys; sys.version_info >= (3, 12) and print("yes")' 2>/dev/null),$(name))))

cosipy-formats:
	@if test -n "$(PYTHON_312)"; then $(MAKE) .venv-formats-cosipy/installed; \
	  else echo "no Python 3.12: what needs cosipy 0.4.3 is left out"; fi

.venv-formats-cosipy/installed: requirements/formats-cosipy.txt
	$(PYTHON_312) -m venv .venv-formats-cosipy
	.venv-formats-cosipy/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

check: lint test

# PAGE=docs/performance.md: the tables also replace those of the page.
TABLE_PAGE = $(if $(PAGE),--page $(PAGE))

bench: install
	python benchmarks/run.py $(TABLE_PAGE)

# cosipy 0.3.4 has an environment of its own: it needs older libraries, and Python 3.11.
SHAPE ?= small
PEER_PYTHON ?= $(or $(shell command -v python3.11),$(PYTHON))

bench-peer: install .venv-peer/installed cosipy-formats
	python benchmarks/peer.py --peer .venv-peer/bin/python --shape $(SHAPE) $(TABLE_PAGE) \
	  $(if $(PYTHON_312),--newest .venv-formats-cosipy/bin/python)
	test -z "$$SKYQUILT_DATA" || $(MAKE) bench-gammapy

bench-gammapy: install .venv-gammapy/installed
	python benchmarks/peer_gammapy.py --peer .venv-gammapy/bin/python $(TABLE_PAGE)
	python benchmarks/peer_joint.py --peer .venv-gammapy/bin/python $(TABLE_PAGE)

# Needs SKYQUILT_DATA; SHOWERS_PEER is the Python of an environment with ctapipe 0.28.
bench-showers: install
	python benchmarks/time_showers.py $(TABLE_PAGE) $(if $(SHOWERS_PEER),--peer $(SHOWERS_PEER))

.venv-gammapy/installed: benchmarks/peers/requirements-gammapy.txt
	$(PEER_PYTHON) -m venv .venv-gammapy
	.venv-gammapy/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

.venv-peer/installed: benchmarks/peers/requirements-cosipy.txt
	$(PEER_PYTHON) -m venv .venv-peer
	.venv-peer/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

gallery: install
	python docs/gallery.py

# The site and its notebooks have an environment of their own, which sees that of skyquilt; what a
# notebook starts runs in the latter, where the backend of notebooks is not known.
docs: .venv-docs/installed
	.venv-docs/bin/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

NOTEBOOKS = docs/notebooks/burst.ipynb docs/notebooks/from-cosipy.ipynb \
  $(if $(SKYQUILT_DATA),docs/notebooks/fermi-sky.ipynb)

notebooks: .venv-docs/installed
	MPLBACKEND=Agg .venv-docs/bin/jupyter-execute --inplace $(NOTEBOOKS)

PACKAGES = python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'

.venv-docs/installed: requirements/docs.txt .venv/installed
	.venv/bin/python -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	echo "import site; site.addsitedir('$$(.venv/bin/$(PACKAGES))')" \
	  > "$$(.venv-docs/bin/$(PACKAGES))/skyquilt.pth"
	@touch $@

schema: install
	python -m skyquilt.config.schema > .schema.tmp && mv .schema.tmp config/config.schema.yaml

# The versions are chosen for Python 3.11 and later at once; other platforms have markers.
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
  --no-emit-index-url pyproject.toml

lock: install
	python -m pip install --quiet uv
	echo "# Versions of everything that \`make install\` installs; written by \`make lock\`." \
	  > requirements/lock.txt
	$(COMPILE) --upgrade --extra histograms --extra workflow --extra mpi --extra dev >> requirements/lock.txt
	echo "# What \`make install-slurm\` adds; written by \`make lock\`." > requirements/slurm.txt
	$(COMPILE) --extra workflow --extra slurm --constraint requirements/lock.txt \
	  | grep -vxFf requirements/lock.txt >> requirements/slurm.txt

clean:
	rm -rf results cache data .snakemake build src/skyquilt/native/*.so .venv/installed* .mypy_cache
