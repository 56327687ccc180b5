//! The shim alone, without the rest of the binary: what this crate's tests start.

fn main() {
    let dir = std::env::args_os().next_back().unwrap_or_default();
    tradewind_targets::shim::main(std::path::Path::new(&dir))
}
