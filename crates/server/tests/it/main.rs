mod access;
mod agent;
mod app;
mod events;
mod git;
mod http;
mod routes;
mod services;
