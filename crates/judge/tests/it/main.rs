//! The judge at its public border.

mod formulas;
mod refusals;
mod simulations;
mod state;
mod told;
mod verdicts;
mod world;
