# Everything a newcomer needs: `make demo`, `make check`, `make test`. A virtual environment is made in .venv and nothing else is touched.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip --disable-pip-version-check -q
# Only what is pinned, and only files whose hash is written there; nothing is resolved.
PINNED := $(PIP) install --require-hashes --no-deps --no-build-isolation
MEDIA  ?=
ROOMS  := embeddings retrieval indexer api eval

.PHONY: install demo check test pytest attack lint bench serve models pins clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml docker/requirements/build.txt docker/requirements/core.txt docker/requirements/demo.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(PINNED) -r docker/requirements/build.txt
	$(PINNED) -r docker/requirements/core.txt -r docker/requirements/demo.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed docker/requirements/services.txt docker/requirements/dev.txt
	$(PINNED) -r docker/requirements/services.txt -r docker/requirements/dev.txt
	@touch $@

demo: install
	$(BIN)/python -m crossmedia.eval.demo $(if $(MEDIA),--media "$(MEDIA)")

# What a change can be checked with before each commit: no servers, no programs, no data beside the checkout.
check: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not (slow or process or network or server or browser or shared or speech)"

# `make -j2 test` lints while the tests run.
test: lint pytest

pytest: $(VENV)/.dev
	# Two more than there are cores: many tests wait for servers, browsers and processes.
	$(BIN)/python -m pytest -n $$(( $$(nproc) < 4 ? $$(nproc) + 2 : 4 )) --dist loadfile --no-loadscope-reorder

# mypy looks for a folder whose names are those of the imports; setuptools maps ours in memory.
$(VENV)/src/crossmedia: $(VENV)/.dev
	mkdir -p $@
	ln -sfn $(addprefix $(CURDIR)/,$(ROOMS)) $(wildcard $(CURDIR)/api/python/*.py*) $@

lint: $(VENV)/.dev $(VENV)/src/crossmedia
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The attack of docs/reliability.md at full size: MINUTES of files, requests and kills, then SOAK minutes of a server under load.
MINUTES ?= 60
SOAK    ?= 60

attack: $(VENV)/.dev
	$(BIN)/python -m tests.attack --minutes $(MINUTES) --soak $(SOAK) $(if $(SEED),--seed $(SEED))

serve: install
	$(BIN)/crossmedia serve

bench: $(VENV)/.dev
	for name in encoders ingest texts media objects passes index cold search banks page; do $(BIN)/python -m crossmedia.eval.bench.$$name || exit 1; done

# Trains and exports the bundled models again; needs torch, the data beside the checkout, and Debian's packages
# openclipart-png, openclipart-svg, fonts-noto-color-emoji, unicode-cldr-core and wordnet-base. Pin what each step prints
# in embeddings/cards.toml before the next.
models: install
	# Not pinned: which build of torch fits depends on the machine.
	$(PIP) install -e ".[train]"
	$(PINNED) -r docker/requirements/train.txt
	$(BIN)/crossmedia models pull clip-b16
	$(BIN)/python -m crossmedia.embeddings.train.all --data ../shared/data --vectors .vectors --out embeddings/bundled
	$(BIN)/python -m crossmedia.embeddings.train.voice --data ../shared/data --out embeddings/bundled
	$(BIN)/python -m crossmedia.embeddings.train.objects --models ../shared/models --data ../shared/data --out embeddings/bundled
	$(BIN)/python -m crossmedia.embeddings.train.areas --flickr8k ../shared/data/flickr8k --out embeddings/bundled
	$(BIN)/python -m crossmedia.embeddings.train.forgery --models ../shared/models --out embeddings/bundled
	$(BIN)/python -m crossmedia.embeddings.train.spoof --models ../shared/models --data ../shared/data --out embeddings/bundled
	$(BIN)/python -m crossmedia.embeddings.train.tagger --models ../shared/models --data ../shared/data --out embeddings/bundled
	$(BIN)/python -m crossmedia.embeddings.train.visual_answers --daquar ../shared/data/daquar --out embeddings/bundled
	$(BIN)/python -m crossmedia.embeddings.train.question_kinds --out embeddings/bundled

# The same versions with the hashes of all their files; UPGRADE=1 takes newer versions.
pins: $(VENV)/.dev
	$(PIP) install uv
	$(BIN)/python -m tests.pinned.refresh $(if $(UPGRADE),--upgrade)

clean:
	rm -rf $(VENV) .demo .attack .vectors .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
