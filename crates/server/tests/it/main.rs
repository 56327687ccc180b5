mod access;
mod app;
mod events;
mod git;
mod http;
mod routes;
