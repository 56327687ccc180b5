# make build   the program with the console in it: target/release/tradewind
# make demo    the story of four releases, with a table at the end; KEEP=1 leaves it running
# make test    every test
# make screenshots   pictures of every page of the console, in web/screenshots
# make bench   figures beside those of peers
# make fuzz    hostile inputs for minutes: specs, pipelines, deliveries, requests, archives
# make lint    formatting, clippy, the agreed policies, licences
# Each installs what it needs on a fresh Debian with Rust.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.PHONY: console openapi build demo test screenshots bench fuzz lint fmt

# PROFILE=dev builds faster; the figures are those of release.
PROFILE ?= release
BUILT := target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
export KEEP

# The console, which the program carries.
CONSOLE := web/dist/index.html
web/node_modules/.package-lock.json: web/package-lock.json web/package.json
	@scripts/setup console
	cd web && npm ci --no-fund --no-audit --loglevel=error
$(CONSOLE): web/node_modules/.package-lock.json web/openapi.json web/index.html web/vite.config.ts web/tsconfig.json \
    $(shell find web/src web/public web/scripts -type f -not -name schema.ts)
	cd web && npm run --silent build
console: $(CONSOLE)

# Files that are made from the routes.
openapi:
	TRADEWIND_WRITE_OPENAPI=1 cargo nextest run --locked --package tradewind-server -E 'test(the_document_beside_the_console_is_this_one)'

build: $(CONSOLE)
	cargo build --locked --profile $(PROFILE) --package tradewind

demo: $(CONSOLE)
	@scripts/setup demo
	cargo build --locked --profile $(PROFILE) --package tradewind --package xtask
	$(BUILT)/xtask demo

test: $(CONSOLE)
	@scripts/setup test
	cd web
	npm test --silent
	cd ..
	cd examples/shop
	PYTHONDONTWRITEBYTECODE=1 python3 -m unittest discover --quiet -s tests -t .
	cd ../..
	cargo nextest run --locked --workspace
	cd web
	npm run --silent e2e

screenshots: $(CONSOLE)
	@scripts/setup screenshots
	cargo build --locked --package tradewind
	cd web && npm run --silent screenshots

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
