# Every target makes what it needs with Python 3.11 to 3.13, pip and make; environments live in .venvs/.
#
#   make demo     a Keras file as every kind of .tflite, then the runtime alone names pictures with them
#   make check    format, lint, types, imports, smoke tests: under two minutes
#   make test     everything, against the built wheel, in each environment that we promise
#   make test-arm mninfer's tests on emulated 32-bit and 64-bit ARM (Debian; half an hour, so by hand)
#   make fmt      format the code and fix what can be fixed without thinking
#   make size     what the base install takes on disk
#   make vectors  write tests/vectors/ again
#   make fuzz     the full run of damaged models, both kinds    -> benchmarks/results/
#   make bench    the runtime's measurements, the zoo's figures -> benchmarks/results/
#   make bench-devices   this machine by mnbench: quick, the table of 2017, the zoo, the peers that are installed, trained
#                 networks; the bars that mnbench itself is held to, by CHECK_ROUNDS processes of each kind;
#                 benchmarks/README.md (an hour and more, on a machine that does nothing else)
#   make bench-conversion   int8 against float and stock, its cost, its limits; every recipe learns (an hour and more)
#   make clean    remove all that these targets made

PACKAGES := mninfer mnconvert models/mnmodels benchmarks/mnbench
CODE     := mninfer mnconvert models/mnmodels benchmarks tests tools
BENCHMARKS := photo_to_label cold_start overhead bulk jpeg_scaling accuracy
DEVICES  := benchmarks/results
CHECK_ROUNDS ?= 21
MNBENCH  := .venvs/keras/bin/mnbench
CONVERSION := int8_accuracy other_networks cost
SHARED   ?= ../shared
OURS     := $(wildcard models/pretrained/*.h5)
IMAGENET := $(wildcard $(SHARED)/models/imagenet_mobilenet_v1_025_128.h5 $(SHARED)/models/imagenet_mobilenet_v2_100_224_b.keras)
WHEEL_OF := .venvs/wheel

# As many tests at a time as there are cores, four at most: each process that has imported TensorFlow takes 1 to 2 GB.
JOBS     ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$((cores > 4 ? 4 : cores)))

# A pyenv shim may be there and not run: ask each candidate for its version.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3 python; do \
	"$$python" -c "$(SUPPORTED)" 2>/dev/null && "$$python" -m pip --version >/dev/null 2>&1 && echo "$$python" && break; done)
ifeq ($(strip $(PYTHON)),)
$(error no Python 3.11, 3.12 or 3.13 with pip found: install one (Debian, Ubuntu: apt-get install python3 python3-pip), or say which: make PYTHON=/path/to/python3.11)
endif

MAKEFLAGS += --no-print-directory
# The wheel is what is tested: nothing is imported from the current folder, in any child process either.
export PYTHONSAFEPATH := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Environments have no pip of their own: Debian's venv can't make one, and it would be half the time of a small one.
make_venv   = test -x .venvs/$(1)/bin/python || { echo "making .venvs/$(1)"; $(PYTHON) -m venv --without-pip .venvs/$(1); }
pip_install = $(PYTHON) -m pip --python .venvs/$(1)/bin/python install -qq --no-warn-script-location
sources    := pyproject.toml README.md LICENSE $(shell find $(PACKAGES) -type f ! -name '*.pyc')
pytest      = .venvs/$(1)/bin/python -m pytest -q --numprocesses $(JOBS) --dist loadfile

.PHONY: test-arm demo check test fmt size vectors fuzz bench bench-devices bench-conversion clean lint types smoke test-wheel test-tflite-runtime test-keras
.DELETE_ON_ERROR:

demo: .venvs/base/.wheel .venvs/keras/.wheel
	@.venvs/base/bin/python tools/demo.py --converter .venvs/keras/bin/python

check: lint types smoke
	@echo "make check: all is well"

lint: .venvs/dev/.requirements
	@.venvs/dev/bin/ruff format --check --quiet $(CODE) || { echo "not formatted: run make fmt"; exit 1; }
	@.venvs/dev/bin/ruff check --quiet $(CODE)

types: .venvs/dev/.requirements
	@.venvs/dev/bin/mypy --no-error-summary

smoke: .venvs/dev/.wheel
	@MNKIT_ENVIRONMENT=wheel $(call pytest,dev) -m "smoke and not slow"

test: test-wheel test-tflite-runtime test-keras
	@echo; cat .venvs/summary-*.txt

test-wheel: .venvs/dev/.wheel .venvs/base/.wheel .venvs/mediapipe/.requirements
	@rm -f .venvs/summary-*.txt
	MNKIT_ENVIRONMENT=wheel MNKIT_SUMMARY=.venvs/summary-1-wheel.txt \
	MNKIT_BASE_PYTHON="$(CURDIR)/.venvs/base/bin/python" MNKIT_MEDIAPIPE_PYTHON="$(CURDIR)/.venvs/mediapipe/bin/python" \
	$(call pytest,dev) -rs

test-tflite-runtime: .venvs/tflite_runtime/.wheel
	MNKIT_ENVIRONMENT=tflite_runtime MNKIT_SUMMARY=.venvs/summary-2-tflite_runtime.txt \
	$(call pytest,tflite_runtime) -rs tests/mninfer tests/mnbench tests/environments/test_environments.py

# All that needs Keras: mnmodels, mnconvert and mnbench on the wheel with its extra, TensorFlow and JAX beside the runtime's own engine.
test-keras: .venvs/keras/.wheel
	MNKIT_ENVIRONMENT=keras MNKIT_SUMMARY=.venvs/summary-3-keras.txt \
	$(call pytest,keras) -rs tests/mnmodels tests/mnconvert $(addprefix tests/mnbench/,cli drawing preparing workloads) tests/test_repository.py tests/test_readme.py tests/environments/test_environments.py

# LiteRT's GPU accelerator, asked for where no GPU is, ends the process in emulation; elsewhere it says so.
test-arm: $(WHEEL_OF)/.built
	$(PYTHON) tools/run_on_arm.py armhf $(WHEEL_OF)/*.whl -q -rs -m "not slow" tests/mninfer tests/environments/test_environments.py
	$(PYTHON) tools/run_on_arm.py arm64 $(WHEEL_OF)/*.whl -q -rs -m "not slow" -k "not gpu" tests/mninfer tests/environments/test_environments.py

fmt: .venvs/dev/.requirements
	.venvs/dev/bin/ruff check --fix --quiet $(CODE) || true
	.venvs/dev/bin/ruff format $(CODE)

size: .venvs/base/.wheel
	@.venvs/base/bin/python tools/measure_install.py --limit-mb 300

vectors: .venvs/dev/.wheel
	PYTHONPATH=tools .venvs/dev/bin/python tools/write_vectors.py

fuzz: .venvs/dev/.wheel .venvs/tflite_runtime/.wheel .venvs/keras/.wheel
	PYTHONPATH=tools .venvs/dev/bin/python tools/fuzz_models.py
	.venvs/keras/bin/python tools/fuzz_keras_files.py

bench: .venvs/dev/.wheel .venvs/mediapipe/.requirements .venvs/keras/.wheel
	for name in $(BENCHMARKS); do \
		PYTHONPATH=benchmarks/runtime .venvs/dev/bin/python benchmarks/runtime/$$name.py || exit 1; done
	PYTHONPATH=benchmarks/runtime .venvs/dev/bin/python benchmarks/runtime/photo_to_label.py --one-process
	.venvs/dev/bin/python tools/write_measured.py
	.venvs/keras/bin/python tools/write_zoo_figures.py

# A second run of the table, which is not kept, shows whether two runs agree. A bar that isn't held ends it with 3, all
# written. How often trained networks are right is told by pictures of $(SHARED), where ImageNet's networks lie, too.
bench-devices: .venvs/keras/.wheel
	$(MNBENCH) run --preset quick --force -o $(DEVICES)/mnbench_quick.json
	$(MNBENCH) run --preset table --force -o $(DEVICES)/mnbench_table.json
	$(MNBENCH) run --preset table --force -o .venvs/mnbench_table_again.json
	$(MNBENCH) run --preset zoo --force -o $(DEVICES)/mnbench_zoo.json
	if .venvs/keras/bin/python -c "import sys, mnbench.peers; sys.exit(not mnbench.peers.installed_peers())"; \
	then $(MNBENCH) run --preset peers --force -o $(DEVICES)/mnbench_peers.json; \
	else echo "no other engine is installed: mnbench peers install all"; fi
	@$(if $(IMAGENET),,echo "no $(SHARED)/models: ImageNet's networks are left out, and how often a trained one is right")
	$(if $(IMAGENET),$(MNBENCH) prepare $(OURS:%=--models %) --evaluate $(SHARED)/data/cifar10-test.tar.xz)
	$(if $(IMAGENET),$(MNBENCH) prepare $(IMAGENET:%=--models %) --evaluate $(SHARED)/data/imagenet-dev)
	$(MNBENCH) run --preset zoo --threads 1 $(patsubst %,--models %,$(OURS) $(IMAGENET)) --force -o $(DEVICES)/mnbench_trained.json
	.venvs/keras/bin/python tools/check_mnbench.py --rounds $(CHECK_ROUNDS) \
		--records $(DEVICES)/mnbench_table.json .venvs/mnbench_table_again.json \
		--timed $(DEVICES)/mnbench_quick.json $(DEVICES)/mnbench_table.json; \
	code=$$?; .venvs/keras/bin/python tools/write_benchmarks_page.py && exit $$code

bench-conversion: .venvs/keras/.wheel .venvs/tflite_runtime/.wheel
	for name in $(CONVERSION); do \
		PYTHONPATH=benchmarks/conversion .venvs/keras/bin/python benchmarks/conversion/$$name.py --shared $(SHARED) || exit 1; done
	.venvs/keras/bin/python tools/measure_limits.py --shared $(SHARED)
	.venvs/keras/bin/python tools/write_conversion_tables.py
	.venvs/keras/bin/python tools/try_recipes.py --data $(SHARED)/data/cifar10-train.tar.xz --steps 32 --batch 16

clean:
	rm -rf .venvs build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find $(CODE) -name __pycache__ -prune -exec rm -rf {} +

# --- the wheel and the environments ---

$(WHEEL_OF)/.built: $(sources)
	@rm -rf $(WHEEL_OF) && mkdir -p $(WHEEL_OF)
	@echo "building the wheel"
	@$(PYTHON) -m pip wheel -qq --no-deps --wheel-dir $(WHEEL_OF) .
	@touch $@

# What the wheel needs, then (a second stamp) the wheel itself, so that a changed source costs a second and not a minute.
.venvs/dev/.requirements: pyproject.toml Makefile | $(WHEEL_OF)/.built
	@$(call make_venv,dev)
	@wheel=$$(ls $(WHEEL_OF)/*.whl) && $(call pip_install,dev) "$$wheel[dev,parquet]"
	@touch $@

.venvs/base/.requirements: pyproject.toml Makefile | $(WHEEL_OF)/.built
	@rm -rf .venvs/base && $(call make_venv,base)
	@$(call pip_install,base) $(WHEEL_OF)/*.whl
	@touch $@

# The oldest engine and numpy that we promise; no LiteRT, no simplejpeg: what 32-bit ARM has.
.venvs/tflite_runtime/.requirements: tests/environments/tflite_runtime.txt
	@$(call make_venv,tflite_runtime)
	@$(call pip_install,tflite_runtime) --requirement $<
	@touch $@

.venvs/keras/.requirements: tests/environments/keras.txt pyproject.toml Makefile | $(WHEEL_OF)/.built
	@$(call make_venv,keras)
	@wheel=$$(ls $(WHEEL_OF)/*.whl) && $(call pip_install,keras) "$$wheel[train]" --requirement $<
	@touch $@

.venvs/mediapipe/.requirements: tests/environments/mediapipe.txt
	@$(call make_venv,mediapipe)
	@$(call pip_install,mediapipe) --requirement $<
	@touch $@

.venvs/%/.wheel: $(WHEEL_OF)/.built .venvs/%/.requirements
	@$(call pip_install,$*) --no-deps --force-reinstall $(WHEEL_OF)/*.whl
	@touch $@
