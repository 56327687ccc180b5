//! Paths that stay inside.

use std::path::{Component, Path, PathBuf};

/// The path's components when each is a plain name; `None` for absolute paths, `..` and empty ones. `.` is dropped.
pub fn plain(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(clean)
}

/// Whether a link at `link` (relative to the folder) to `target` ends inside the folder, read as text. A chain of
/// links can still leave it, so nothing here ever follows one; whoever runs there may read what its user may.
pub fn stays_inside(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(1);
    for component in target.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir => {
                if depth == 0 {
                    return false;
                }
                depth -= 1;
            }
            Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    !target.as_os_str().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_climb_out_are_seen() {
        let inside = |link: &str, target: &str| stays_inside(Path::new(link), Path::new(target));
        assert!(inside("a/b", "../c"));
        assert!(inside("a/b", "c/../../d"));
        assert!(inside("current", "releases/1"));
        assert!(!inside("a", "../c"));
        assert!(!inside("a/b", "../../c"));
        assert!(!inside("a", "/etc/passwd"));
        assert!(!inside("a/b", "c/../../../d"));
        assert!(!inside("a", ""));
    }

    #[test]
    fn only_plain_names_make_a_path() {
        assert_eq!(plain(Path::new("./a/b")).unwrap(), Path::new("a/b"));
        assert_eq!(plain(Path::new("a/../b")), None);
        assert_eq!(plain(Path::new("/a")), None);
        assert_eq!(plain(Path::new("./")).unwrap(), Path::new(""));
    }
}
