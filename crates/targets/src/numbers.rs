//! Numbers that are given to names and kept: ports, users.

use crate::folder;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A file that remembers who has which number. One process at a time may use it.
#[derive(Debug)]
pub struct Numbers {
    dir: PathBuf,
    file: String,
    range: Range<u32>,
    /// Where the search for the very first one begins.
    first: u32,
    book: Mutex<Book>,
}

#[derive(Clone, Default, Debug, Serialize, Deserialize)]
struct Book {
    given: BTreeMap<String, u32>,
    /// The search goes on after the last number given, so that one given back rests as long as possible.
    last: Option<u32>,
}

impl Numbers {
    /// `path` need not exist; its folder must. Numbers out of `range` that it holds are forgotten. A damaged file is an
    /// error of the kind `InvalidData`; see [`renew`](Self::renew).
    pub fn open(path: &Path, range: Range<u32>) -> io::Result<Self> {
        match folder::read(path) {
            Ok(book) => Self::with(path, range, book.unwrap_or_default()),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Err(io::Error::new(io::ErrorKind::InvalidData, e)),
            Err(e) => Err(e),
        }
    }

    /// Puts a damaged file aside, as `<file>.damaged`, and begins with nobody.
    pub fn renew(path: &Path, range: Range<u32>) -> io::Result<Self> {
        let mut aside = path.as_os_str().to_owned();
        aside.push(".damaged");
        std::fs::rename(path, aside)?;
        Self::with(path, range, Book::default())
    }

    fn with(path: &Path, range: Range<u32>, mut book: Book) -> io::Result<Self> {
        let (Some(dir), Some(file)) = (path.parent(), path.file_name().and_then(|f| f.to_str())) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} is not a file's path", path.display()),
            ));
        };
        book.given.retain(|_, n| range.contains(n));
        book.last = book.last.filter(|n| range.contains(n));
        Ok(Self { dir: dir.to_owned(), file: file.to_owned(), first: range.start, range, book: Mutex::new(book) })
    }

    /// Begins the search there instead of at the range's start, where nothing was given yet.
    pub fn beginning_at(self, first: u32) -> Self {
        Self { first: if self.range.contains(&first) { first } else { self.range.start }, ..self }
    }

    pub fn get(&self, name: &str) -> Option<u32> {
        self.book().given.get(name).copied()
    }

    /// The number `name` has, or a new one that nobody has and `usable` does not refuse; `None` when all are taken. A
    /// new one is on disk when this returns.
    pub fn assign(&self, name: &str, usable: impl Fn(u32) -> bool) -> io::Result<Option<u32>> {
        let mut book = self.book();
        if let Some(number) = book.given.get(name) {
            return Ok(Some(*number));
        }
        let start = book.last.map_or(self.first, |n| n + 1);
        let free = |n: &u32| !book.given.values().any(|g| g == n) && usable(*n);
        let Some(number) = (start..self.range.end).chain(self.range.start..start).find(free) else { return Ok(None) };
        let mut next = book.clone();
        next.given.insert(name.to_owned(), number);
        next.last = Some(number);
        folder::write(&self.dir, &self.file, &next)?;
        *book = next;
        Ok(Some(number))
    }

    /// Records a number that `name` is known to have; nothing happens where it has one, or where another has this one.
    pub fn keep(&self, name: &str, number: u32) -> io::Result<()> {
        let mut book = self.book();
        if book.given.contains_key(name) || book.given.values().any(|n| *n == number) || !self.range.contains(&number) {
            return Ok(());
        }
        let mut next = book.clone();
        next.given.insert(name.to_owned(), number);
        folder::write(&self.dir, &self.file, &next)?;
        *book = next;
        Ok(())
    }

    /// Gives it back; nothing happens when it has none.
    pub fn release(&self, name: &str) -> io::Result<()> {
        let mut book = self.book();
        let mut next = book.clone();
        if next.given.remove(name).is_some() {
            folder::write(&self.dir, &self.file, &next)?;
            *book = next;
        }
        Ok(())
    }

    /// Gives back the numbers of all whom `keep` does not name.
    pub fn retain(&self, keep: impl Fn(&str) -> bool) -> io::Result<()> {
        let mut book = self.book();
        let mut next = book.clone();
        next.given.retain(|name, _| keep(name));
        if next.given.len() != book.given.len() {
            folder::write(&self.dir, &self.file, &next)?;
            *book = next;
        }
        Ok(())
    }

    /// Every change is made to a copy, so a panic leaves the book as it was.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
