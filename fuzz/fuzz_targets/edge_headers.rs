//! Any bytes as a client's connection: see `tradewind_edge::fuzz`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| tradewind_edge::fuzz::connection(bytes));
