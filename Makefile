# make demo    the story of four releases, with a table at the end; KEEP=1 leaves it running
# make test    every test
# make bench   figures beside those of peers
# make lint    formatting, clippy, the agreed policies, licences
# Each installs what it needs on a fresh Debian with Rust.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.PHONY: demo test bench lint fmt

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

lint:
	@scripts/setup lint
	cargo fmt --check
	cargo clippy --locked --workspace --all-targets -- --deny warnings
	cargo xtask tidy
	cargo deny --log-level error check bans licenses sources
	cargo machete

fmt:
	cargo fmt
