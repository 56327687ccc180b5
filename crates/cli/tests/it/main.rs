//! The verbs against a server that answers what a test says: what a person sees, in both languages.

mod fake;
mod forges;
mod freezes;
mod init;
mod judge;
mod lists;
mod login;
mod refusals;
mod rollouts;
mod runs;
mod samples;
mod secrets;
mod status;
mod usage;
