//! The agent against a server and an edge made for the tests, with real processes under real shims.

mod archive;
mod certificates;
mod damage;
mod deploy;
mod edge;
mod full_disk;
mod kills;
mod limits;
mod machines;
mod meter;
mod pages;
mod releases;
mod restarts;
mod runs;
mod sandbox;
mod scrape;
mod server;
mod shards;
mod tally;
mod tasks;
mod trouble;
mod units;
mod verify;
mod world;
