//! The judge at its public border.

mod formulas;
mod refusals;
mod runs;
mod simulations;
mod state;
mod told;
mod verdicts;
mod world;
