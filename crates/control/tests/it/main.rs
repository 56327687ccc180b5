mod rollouts;
mod world;
