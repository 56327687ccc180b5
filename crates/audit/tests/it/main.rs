mod chain;
mod forms;
mod notes;
