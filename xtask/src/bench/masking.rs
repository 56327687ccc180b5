//! How fast secrets are taken out of a log: fifty of them, in all their forms, in pieces as they come out of a pipe.

use super::{Options, spread::Spread};
use anyhow::{Context, Result, ensure};
use std::time::Instant;
use tradewind_secrets::mask::{Masks, Stream};

const SECRETS: usize = 50;
const PIECE: usize = 32 << 10;
const SIZE: usize = 128 << 20;
const ROUNDS: u32 = 9;

/// Random letters, always the same.
struct Letters(u64);

impl Letters {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn word(&mut self, length: usize) -> String {
        const ALL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/";
        (0..length).map(|_| char::from(ALL[self.next() as usize % ALL.len()])).collect()
    }
}

pub fn measure(options: &Options) -> Result<String> {
    let mut letters = Letters(0x9E37_79B9_7F4A_7C15);
    let secrets: Vec<String> = (0..SECRETS).map(|i| letters.word(20 + i)).collect();
    let masks = Masks::new(secrets.iter().map(String::as_str));
    let plain = log(&mut letters, &secrets, 0);
    let leaky = log(&mut letters, &secrets, 100);
    ensure!(run(&masks, &leaky).1 > 0, "nothing was masked");
    let (mut quiet, mut loud, mut none) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds.unwrap_or(ROUNDS) {
        quiet.push(run(&masks, &plain).0);
        loud.push(run(&masks, &leaky).0);
        none.push(run(&Masks::default(), &plain).0);
    }
    let show = |rates: &[f64]| Spread::of(rates).map(|s| s.show(0)).context("no rounds");
    Ok(format!(
        "| log lines of 40 to 160 bytes, {} MiB, one core | MB/s |\n| --- | --- |\n\
         | {SECRETS} secrets, none of them printed | {} |\n\
         | {SECRETS} secrets, one in every hundredth line | {} |\n\
         | no secrets: copied as it is | {} |\n\n\
         Median of {} rounds, lowest and highest beside it. Memory of the masks: {:.1} MiB.",
        SIZE >> 20,
        show(&quiet)?,
        show(&loud)?,
        show(&none)?,
        quiet.len(),
        masks.weight() as f64 / f64::from(1 << 20),
    ))
}

/// With a secret in every so many-th line; 0: in none.
fn log(letters: &mut Letters, secrets: &[String], every: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(SIZE + 512);
    let mut lines = 0;
    while out.len() < SIZE {
        lines += 1;
        let at = letters.next();
        let head = format!("2026-11-11T08:{:02}:{:02}.{:03}Z INFO order.sync shop=", at % 60, at / 60 % 60, at % 997);
        out.extend_from_slice(head.as_bytes());
        for _ in 0..letters.next() % 12 {
            let length = 3 + letters.next() as usize % 8;
            out.extend_from_slice(letters.word(length).to_lowercase().as_bytes());
            out.push(b' ');
        }
        if every > 0 && lines % every == 0 {
            out.extend_from_slice(secrets[lines / every % secrets.len()].as_bytes());
        }
        out.push(b'\n');
    }
    out
}

/// Millions of bytes a second, and how many bytes the text changed by.
fn run(masks: &Masks, text: &[u8]) -> (f64, usize) {
    let begun = Instant::now();
    let mut stream = Stream::default();
    let mut stored: usize = text.chunks(PIECE).map(|piece| stream.push(masks, piece).len()).sum();
    stored += stream.finish(masks).len();
    (text.len() as f64 / begun.elapsed().as_secs_f64() / 1e6, stored.abs_diff(text.len()))
}
