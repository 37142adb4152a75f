# Two commands do everything: `make demo` and `make test`. Both create .venv when it is missing.
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3 python,$(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11))' 2>/dev/null | grep True),$(name))))
BIN := .venv/bin

# uv takes seconds where pip takes a minute. It knows nothing of pip's settings: it is told the index, and where it fails, pip installs.
INDEX = $(BIN)/python -m pip config get global.index-url 2>/dev/null
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
INSTALL = UV_DEFAULT_INDEX="$$($(INDEX))" UV_SYSTEM_CERTS=1 $(BIN)/uv pip install --quiet --python .venv --editable $(1) 2>/dev/null || $(PIP) --editable $(1)

.PHONY: demo test test-slow test-lowest test-vllm lint clean

demo: .venv/demo
	$(BIN)/metaspo optimize --store demo.db

# ALL=1 adds the tests that take seconds each: with them it takes four times as long.
EVERY = -m "not slow and not vllm"
# Plugins of pytest that others of our packages bring would have pytest rewrite all of those packages, in every worker.
test: export PYTEST_DISABLE_PLUGIN_AUTOLOAD = 1
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/dev
	$(BIN)/python -m pytest -p asyncio -p xdist --dist loadfile $(if $(ALL),-n 3 $(EVERY),-n 2)

test-slow: .venv/dev
	$(BIN)/python -m pytest -m slow

# With the lowest versions that pyproject.toml allows, and no extras but `local`: what needs others is left out.
test-lowest: .lowest/env
	.lowest/bin/python -m pytest $(EVERY) -n 2 --dist loadfile --ignore tests/examples --ignore tests/test_wheel.py --ignore tests/test_deploy.py \
	    --ignore tests/tasks/paper \
	    --ignore tests/models/test_providers.py --ignore tests/models/test_provider_opening.py --ignore tests/cli/test_providers.py \
	    --deselect tests/models/test_provider_names.py::test_the_private_list_is_where_it_was \
	    --deselect tests/test_compat.py::test_the_agent_server_can_be_started_with_what_we_serve

# A real vLLM on CPU in a folder of its own, and SmolLM2 for it: 3 GB. TORCH says where the CPU build of torch is.
TORCH ?= --torch-backend=cpu

test-vllm: .vllm/env .vllm/smollm2
	.vllm/bin/python -m pytest -m vllm -vv --durations=0 --durations-min=1 tests/models/vllm

lint: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	rm -rf build/typecheck build/wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir build/wheel .
	$(BIN)/python -m pip install --quiet --no-deps --target build/typecheck build/wheel/*.whl
	MYPYPATH=build/typecheck $(BIN)/mypy -p metaspo
	MYPYPATH=build/typecheck $(BIN)/mypy --explicit-package-bases examples/*.py

clean:
	rm -rf .venv .lowest .vllm build *.egg-info

.vllm/env: tests/models/vllm/requirements.txt tests/models/vllm/overrides.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "metaspo needs Python 3.11 or newer on the PATH, or PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .vllm
	.vllm/bin/python -m pip install --quiet --disable-pip-version-check uv
	.vllm/bin/uv pip install --quiet --python .vllm $(TORCH) --requirements tests/models/vllm/requirements.txt --overrides tests/models/vllm/overrides.txt --editable .
	touch $@

.lowest/env: pyproject.toml
	@test -n "$(PYTHON)" || { echo "metaspo needs Python 3.11 or newer on the PATH, or PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .lowest
	.lowest/bin/python -m pip install --quiet --disable-pip-version-check uv
	.lowest/bin/uv pip install --quiet --python .lowest --resolution lowest-direct --editable ".[local]"
	.lowest/bin/uv pip install --quiet --python .lowest pytest pytest-asyncio pytest-xdist
	touch $@

.vllm/smollm2: .vllm/env tests/helpers/vllm_model.py
	.vllm/bin/python tests/helpers/vllm_model.py $@

.venv/python:
	@test -n "$(PYTHON)" || { echo "metaspo needs Python 3.11 or newer on the PATH, or PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) uv || true
	touch $@

# The second is a superset of the first, so that either may come first.
.venv/demo: .venv/python pyproject.toml
	$(call INSTALL,".[local]")
	touch $@

.venv/dev: .venv/python pyproject.toml
	$(call INSTALL,".[dev]")
	touch $@ .venv/demo
