mod hostile;
mod payloads;
mod repositories;
mod sent;
mod statuses;
mod verification;
