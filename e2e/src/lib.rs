//! Tests with the real program, real services and real kills: see `tests/it`.
