mod client;
mod wire;
