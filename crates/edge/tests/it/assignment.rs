//! Who is sent where.
