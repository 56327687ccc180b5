//! Tests of `tradewind-model` at its public border.

mod access;
mod examples;
mod gitlab_cases;
mod guide;
mod pipeline_engine;
mod pipeline_file;
mod policy;
mod spec;
mod yaml;
