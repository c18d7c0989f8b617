# Thin door to meson; `make run` and `make check` work on a fresh Debian 12.
BUILD ?= build

.PHONY: all build run check check-nets lab install bench fuzz clean deps test-deps

all: build

deps:
	@tools/install-deps build

test-deps:
	@tools/install-deps build test
	@tools/build-programs

$(BUILD)/build.ninja:
	@test -f $@ || meson setup $(BUILD) >/dev/null

build: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

run: deps
	@$(MAKE) --no-print-directory build
	@$(BUILD)/src/nsproxy demo

check: test-deps
	@tools/check

check-nets: test-deps build
	@tools/check-nets

lab: test-deps
	@tools/lab

install: build
	meson install -C $(BUILD)

bench: deps
	@tools/install-deps bench
	@tools/build-programs
	@$(MAKE) --no-print-directory build
	@bench/run

fuzz: test-deps
	@fuzz/run

# The tests' tree of a whole system belongs to root.
clean:
	@for tree in build-*/nspawn-root; do \
		[ ! -d $$tree ] || [ -w $$tree ] || sudo rm -rf $$tree; done
	rm -rf $(BUILD) build-*
