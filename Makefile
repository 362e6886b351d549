# `make lab` to learn; `make` alone lists the other commands. GNU make 3.81 (macOS) and later.
#
# On Windows without make, in PowerShell, from this folder:
#   py -3.12 -m venv .venv
#   .venv\Scripts\python -m pip install --require-hashes --no-deps -r requirements.lock
#   .venv\Scripts\python -m pip install --no-deps --no-build-isolation -e .
#   .venv\Scripts\python -m grader lab

SHELL := /bin/sh

# The Python to build .venv with, as a command or a path. Empty: the first of
# PYTHONS that is a supported version.
PYTHON  ?=
PYTHONS := python3.13 python3.12 python3.11 python3 python
# Handed on to the command that a target runs: make lab ARGS=--no-browser
ARGS    ?=

# What runs inside .venv finds the commands of .venv first.
IN_ENV := PATH="$(CURDIR)/.venv/bin:$$PATH"

# Settings of the user's shell that would send an install somewhere else, or let
# packages from somewhere else in.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV CONDA_PREFIX
unexport PIP_TARGET PIP_PREFIX PIP_ROOT UV_TARGET UV_PREFIX UV_SYSTEM_PYTHON UV_PYTHON
export PIP_USER := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help env lab test bench drift lint format build lock clean

help: ## list these commands
	@echo "The commands you need:"
	@awk -F ' ## [*]' '/^[a-z]+:.* ## [*]/ {split($$1, name, ":"); printf "  make %-8s%s\n", name[1], $$2}' Makefile
	@echo "The others:"
	@awk -F ' ## ' '/^[a-z]+:.* ## [^*]/ {split($$1, name, ":"); printf "  make %-8s%s\n", name[1], $$2}' Makefile

lab: env ## *open the first notebook in JupyterLab (ARGS=--no-browser prints the address)
	@$(IN_ENV) .venv/bin/python -m grader lab $(ARGS)

test: env ## *check style and types, run all tests (ARGS goes to pytest)
	@failed=; \
	$(STYLE) \
	.venv/bin/mypy >.venv/.types 2>&1 & types=$$!; \
	echo "==> pytest"; $(IN_ENV) .venv/bin/python -m pytest $(ARGS) || failed="$$failed pytest"; \
	echo "==> mypy, beside the tests"; \
	wait $$types || failed="$$failed mypy"; cat .venv/.types; \
	$(VERDICT)

env: ## create .venv from requirements.lock; nothing to do when it is complete
	@$(IS_COMPLETE) || { $(INSTALL) }

bench: env ## measure how long grading takes
	@$(IN_ENV) .venv/bin/python -m grader.bench $(ARGS)
	@$(IN_ENV) .venv/bin/python -m grader.bench_course

drift: env ## prove the notebooks' sentences with the newest releases (needs a network)
	@$(IN_ENV) .venv/bin/python -m grader drift $(ARGS)

lint: env ## check style and types only
	@failed=; $(STYLE) \
	echo "==> mypy"; .venv/bin/mypy || failed="$$failed mypy"; \
	$(VERDICT)

format: env ## put the code into the common format
	@.venv/bin/ruff check --quiet --fix-only .
	@.venv/bin/ruff format .

build: env ## make notebooks/ from solutions/
	@$(IN_ENV) .venv/bin/python -m grader build $(ARGS)

lock: ## resolve pyproject.toml anew into requirements.lock and environment.yml (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --upgrade --generate-hashes --no-annotate --no-emit-index-url \
	  --custom-compile-command "make lock" --quiet --output-file requirements.lock
	@$(COPY_PINS)
	cd solutions/ex10_on_call/deploy && uv pip compile requirements.in \
	  --constraint "$(CURDIR)/requirements.lock" --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-emit-index-url \
	  --custom-compile-command "make lock" --quiet --output-file requirements.lock

clean: ## remove .venv and everything else that is not committed but made again
	rm -rf .venv *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------------------
# The checks before the tests. All of them run, whichever fails. Types take a core of
# their own for a while: so they are checked beside the tests, and told after them.

define STYLE
echo "==> ruff check"; .venv/bin/ruff check . || failed="$$failed ruff-check"; \
echo "==> ruff format"; .venv/bin/ruff format --check . || failed="$$failed ruff-format";
endef

define VERDICT
test -z "$$failed" || { echo "Failed:$$failed" >&2; exit 1; }
endef

# The lock names all that is needed, so nothing is resolved. An old pip that has to would
# refuse the lock once a package that another wants with extras has a newer release.
#
# .venv/.complete is written last, and holds what .venv was made from: the lock, and
# the folder (the scripts in .venv/bin name it). A PYTHON that was asked for by name
# must also be the version that is there.

MADE_FROM    = "$(CURDIR) $$(cksum < requirements.lock)"
VERSION_OF   = -c 'import sys; print(sys.version_info[:2])'

define IS_COMPLETE
{ test "$$(cat .venv/.complete 2>/dev/null)" = $(MADE_FROM) \
  && test -x .venv/bin/python \
  && { test -z "$(PYTHON)" \
       || test "$$("$(PYTHON)" $(VERSION_OF) 2>&1)" = "$$(.venv/bin/python $(VERSION_OF))"; }; }
endef

# Prints the interpreter's own path, outside of any virtual environment.
SUPPORTED = -c 'import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13); print(sys._base_executable)'
VERSION   = -c 'import sys; print(sys.version.split()[0])'

define INSTALL
python=; found=; \
for name in $(if $(PYTHON),"$(PYTHON)",$(PYTHONS)); do \
  python=$$("$$name" $(SUPPORTED) 2>/dev/null) && break; \
  python=; \
  version=$$("$$name" $(VERSION) 2>/dev/null) && found="$$found$${found:+, }$$name is $$version"; \
done; \
if test -z "$$python"; then \
  echo "No supported Python." >&2; \
  echo "  Expected: Python 3.11, 3.12 or 3.13, as one of: $(if $(PYTHON),$(PYTHON),$(PYTHONS))" >&2; \
  echo "  Found:    $${found:-none of them}" >&2; \
  echo "  Way out:  install one of these versions, or say where it is: make env PYTHON=/path/to/python3.12" >&2; \
  exit 1; \
fi; \
rm -f .venv/.complete; \
echo "Creating .venv from $$python: $$(grep -c == requirements.lock) pinned packages, up to three minutes."; \
with_uv() { \
  uv venv --quiet --no-project --clear --python "$$python" .venv \
  && uv pip install --quiet --python .venv/bin/python --require-hashes \
       --only-binary :all: --no-deps --compile-bytecode -r requirements.lock \
  && uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation \
       --offline -e .; }; \
with_pip() { \
  "$$python" -c 'import ensurepip, venv' 2>/dev/null || { \
    echo "$$python cannot create virtual environments." >&2; \
    echo "  Expected: its modules venv and ensurepip, or the command uv" >&2; \
    echo "  Way out:  install them (Debian, Ubuntu: apt install python3-venv), or uv" >&2; \
    return 1; }; \
  "$$python" -m venv --clear .venv \
  && .venv/bin/python -m pip install -qq --require-hashes --only-binary :all: \
       --no-deps -r requirements.lock \
  && .venv/bin/python -m pip install -qq --no-deps --no-build-isolation --no-index -e .; }; \
{ uv --version >/dev/null 2>&1 \
    && { with_uv || { echo "uv did not finish: see above. Trying pip." >&2; false; }; }; } \
|| with_pip \
|| { echo "The install into .venv did not finish: see above. The same command tries again." >&2; \
     exit 1; }; \
echo $(MADE_FROM) > .venv/.complete; \
echo "Ready: .venv";
endef

# Everything in environment.yml after "- pip:" is a copy of the lock.
define COPY_PINS
{ sed '/^  - pip:/q' environment.yml; \
  sed -n 's/^\([A-Za-z0-9].*==.*[^ ]\) *\\$$/      - \1/p' requirements.lock; \
  echo '      - -e .'; } > environment.yml.new && mv environment.yml.new environment.yml
endef
