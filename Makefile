# make demo    the story of four releases, with a table at the end; KEEP=1 leaves it running
# make test    every test
# make bench   figures beside those of peers
# make fuzz    hostile inputs for minutes: specs, pipelines, deliveries, requests, archives
# make lint    formatting, clippy, the agreed policies, licences
# Each installs what it needs on a fresh Debian with Rust.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.PHONY: demo test bench fuzz lint fmt

# PROFILE=dev builds faster; the figures are those of release.
PROFILE ?= release
BUILT := target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
export KEEP

demo:
	@scripts/setup demo
	cargo build --locked --profile $(PROFILE) --package tradewind --package xtask
	$(BUILT)/xtask demo

test:
	@scripts/setup test
	cd examples/shop
	PYTHONDONTWRITEBYTECODE=1 python3 -m unittest discover --quiet -s tests -t .
	cd ../..
	cargo nextest run --locked --workspace

bench:
	@scripts/setup bench
	cargo build --locked --release --package tradewind --package xtask
	target/release/xtask bench

# For each target.
FUZZ_SECONDS ?= 60

fuzz:
	@scripts/setup fuzz
	cd fuzz
	for target in spec pipeline webhook edge_headers bundle; do
	    mkdir -p corpus/$$target
	    cargo fuzz run --sanitizer none $$target corpus/$$target seeds/$$target -- \
	        -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=16384 -print_final_stats=1
	done

lint:
	@scripts/setup lint
	cargo fmt --check
	cargo clippy --locked --workspace --all-targets -- --deny warnings
	cargo xtask tidy
	cargo deny --log-level error check bans licenses sources
	cargo machete

fmt:
	cargo fmt
