//! Runs with a real store and an agent that answers as agents may: late, twice, or not at all.

mod chaos;
mod life;
mod logs;
mod rights;
mod world;
