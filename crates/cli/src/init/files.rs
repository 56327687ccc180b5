//! What a project's folder is asked: names, and texts of a sane size.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Nothing that tells what a project is comes near this many bytes.
const LIMIT: u64 = 512 << 10;

pub trait Files {
    /// What stands directly in this folder (`""` is the project's own), sorted; folders end with `/`. Empty where there is
    /// no such folder.
    fn names(&self, folder: &str) -> Vec<String>;

    /// None where there is no such file, or it is no text, or a very large one.
    fn text(&self, path: &str) -> Option<String>;
}

impl dyn Files + '_ {
    pub fn has(&self, path: &str) -> bool {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.names(folder).iter().any(|n| n.trim_end_matches('/') == name)
    }

    /// Those of these paths that are there.
    pub fn which(&self, paths: &[&str]) -> Vec<String> {
        paths.iter().filter(|p| self.has(p)).map(|p| (*p).to_owned()).collect()
    }

    /// The first of these that is there.
    pub fn first(&self, paths: &[&str]) -> Option<String> {
        self.which(paths).into_iter().next()
    }

    /// Whether any of these texts contains this.
    pub fn any_says(&self, paths: &[&str], what: &str) -> bool {
        paths.iter().filter_map(|p| self.text(p)).any(|t| t.contains(what))
    }

    /// Names in a folder that end like this.
    pub fn ending(&self, folder: &str, end: &str) -> Vec<String> {
        self.names(folder).into_iter().filter(|n| n.ends_with(end)).collect()
    }

    /// Folders in a folder.
    pub fn folders(&self, folder: &str) -> Vec<String> {
        self.names(folder).iter().filter_map(|n| n.strip_suffix('/')).map(str::to_owned).collect()
    }
}

pub struct Disk(PathBuf);

impl Disk {
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }
}

impl Files for Disk {
    fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.join(folder))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|e| {
                let name = e.file_name().into_string().ok()?;
                Some(if e.path().is_dir() { name + "/" } else { name })
            })
            .collect();
        names.sort();
        names
    }

    fn text(&self, path: &str) -> Option<String> {
        let path = self.0.join(path);
        let meta = fs::metadata(&path).ok().filter(|m| m.is_file() && m.len() <= LIMIT)?;
        let mut text = String::with_capacity(usize::try_from(meta.len()).unwrap_or_default());
        std::io::Read::read_to_string(&mut fs::File::open(&path).ok()?, &mut text).ok()?;
        Some(text)
    }
}

/// A folder of another's.
pub struct Under<'a> {
    pub files: &'a dyn Files,
    pub folder: &'a str,
}

impl Under<'_> {
    fn full(&self, path: &str) -> String {
        if path.is_empty() { self.folder.to_owned() } else { format!("{}/{path}", self.folder) }
    }
}

impl Files for Under<'_> {
    fn names(&self, folder: &str) -> Vec<String> {
        self.files.names(&self.full(folder))
    }

    fn text(&self, path: &str) -> Option<String> {
        self.files.text(&self.full(path))
    }
}
