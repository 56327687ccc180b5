//! The store at its border. What holds for both databases is in `contract/`, and runs on SQLite and on PostgreSQL.

mod blobs;
mod cluster;
mod contract;
mod expand;
mod faults;
mod fixture;
mod logs;
mod migrations;
mod schema;
mod speed;
