//! The real binary: supervised, killed, adopted, refused, taken down.

mod audit;
mod backup;
mod before;
mod checkout;
mod detach;
mod doctor;
mod down;
mod harness;
mod init;
mod language;
mod login;
mod push;
mod refusals;
mod settings;
mod supervisor;
mod upgrade;
