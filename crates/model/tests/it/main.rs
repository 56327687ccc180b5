//! Tests of `tradewind-model` at its public border.

mod yaml;
