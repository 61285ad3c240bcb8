# `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo build test test-neon check-kernels consumer classify sanitize-address sanitize-undefined sanitize-thread fuzz \
	peers hostile fixtures clean packages toolchain

SWIFT ?= swift
# Kernels are C, which SwiftPM optimises in release alone. Without testable imports, tests and command share a build.
RELEASE := -c release --disable-testable-imports
TEST := $(SWIFT) test $(RELEASE) --disable-xctest
# Seconds for each fuzz target.
SECONDS ?= 60
# Where `make demo` writes its report.
OUTPUT ?= demo-report
# More options for the tests, such as TEST_OPTIONS="--filter KernelsTests".
TEST_OPTIONS ?=

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-20s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: build ## Train dense, narrow and sparse networks on Fashion-MNIST and report: minutes
	.build/release/gossamer demo --output $(OUTPUT)

build: packages toolchain ## Build the command line, .build/release/gossamer
	$(SWIFT) build -c release --product gossamer

peers: packages ## Install the Python packages that tests compare with, and print the interpreter for GOSSAMER_PYTHON
	@Scripts/install-peers.sh

test: packages toolchain ## Run all tests, in release
	$(TEST) $(TEST_OPTIONS)

consumer: packages toolchain ## Build and run the example package that uses the library
	$(SWIFT) run -c release --package-path Examples/Consumer Consumer

classify: build ## Build and run the example that classifies an image, and check what it links
	Scripts/check-classify.sh

sanitize-address: packages toolchain ## Run the tests with the address sanitizer
	ASAN_OPTIONS=detect_leaks=0 $(TEST) --sanitize=address --scratch-path .build-asan $(TEST_OPTIONS)

# Undefined behaviour is looked for in C; Swift traps by itself. The address sanitizer brings the run-time library.
sanitize-undefined: packages toolchain ## Run the tests of the C kernels with the undefined behaviour sanitizer
	ASAN_OPTIONS=detect_leaks=0 $(TEST) --sanitize=address --scratch-path .build-ub \
		-Xcc -fsanitize=undefined -Xcc -fno-sanitize=function -Xcc -fno-sanitize-recover=undefined \
		$(or $(TEST_OPTIONS),--filter 'Kernel|Execution|Training')

# C is not optimised, for the reason given at check-kernels.
sanitize-thread: packages toolchain ## Run the tests of threaded code with the thread sanitizer
	$(TEST) --sanitize=thread -Xcc -O0 --scratch-path .build-tsan \
		$(or $(TEST_OPTIONS),--filter 'Execution|Training|Datasets|Experiments')

# Not optimised: the sanitizers make functions so large that optimising them takes many minutes.
CHECK := .build-check
CHECK_FLAGS := -std=gnu11 -O0 -fsanitize=address,undefined -fno-sanitize-recover=undefined -ISources/CKernels/include
CHECK_OBJECTS := $(patsubst Sources/CKernels/%.c,$(CHECK)/%.o,$(wildcard Sources/CKernels/*.c))

check-kernels: toolchain ## Compare the C kernels with the reference under the address and undefined sanitizers
	@$(MAKE) --no-print-directory -j 2 $(CHECK)/check-kernels
	ASAN_OPTIONS=detect_leaks=0 $(CHECK)/check-kernels 200
	ASAN_OPTIONS=detect_leaks=0 GOSSAMER_ISA=avx2 $(CHECK)/check-kernels 200

$(CHECK)/check-kernels: Scripts/check-kernels.c $(CHECK_OBJECTS)
	clang $(CHECK_FLAGS) $^ -lm -o $@

$(CHECK)/%.o: Sources/CKernels/%.c $(wildcard Sources/CKernels/*.inc Sources/CKernels/*.h Sources/CKernels/include/*.h)
	@mkdir -p $(CHECK)
	clang $(CHECK_FLAGS) -c $< -o $@

test-neon: toolchain ## Check the NEON kernels under qemu-aarch64; needs a cross compiler, see the script
	Scripts/test-neon.sh

fuzz: packages toolchain ## Fuzz the file readers, SECONDS=60 for each
	Scripts/fuzz.sh $(SECONDS)

hostile: build ## Feed broken and hostile files to the command; says the worst time and memory of each kind
	python3 Scripts/hostile-files.py .build/release/gossamer

# PYTHON=... takes an interpreter that has the packages already.
fixtures: ## Write Tests/Fixtures again, with PyTorch
ifdef PYTHON
	$(PYTHON) Scripts/make-fixtures.py
else
	@python3 -m venv .venv || { echo "error: no venv module; on Debian, install python3-venv" >&2; exit 1; }
	.venv/bin/python -m pip install --quiet -r Tests/Fixtures/requirements.txt
	.venv/bin/python Scripts/make-fixtures.py
endif

clean: ## Remove everything that was built
	rm -rf .build .build-* .venv-peers Examples/Consumer/.build Examples/Classify/.build Fuzz/.build

packages:
	@Scripts/install-packages.sh

toolchain:
	@command -v $(SWIFT) >/dev/null || { \
		echo "error: no Swift toolchain in PATH; Gossamer needs Swift 6.1 or newer, from https://www.swift.org/install" >&2; \
		exit 1; }
