//! The console, as `npm run build` left it in `web/dist`, becomes a table of files in the program. Where it was not built the
//! table is empty, and the server says so to browsers.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let dist = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../web/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    let dist = dist.canonicalize().unwrap_or(dist);
    if dist.join("index.html").is_file() {
        walk(&dist, &mut files)?;
    }
    files.sort();
    let mut table = String::from("pub static FILES: &[File] = &[\n");
    for file in files.iter().filter(|f| !matches!(ending(f), "br" | "gz" | "map")) {
        let Ok(path) = file.strip_prefix(&dist) else { continue };
        if path.starts_with(".vite") {
            continue;
        }
        let packed = |with: &str| {
            let beside = PathBuf::from(format!("{}.{with}", file.display()));
            match beside.is_file() {
                true => format!("Some(include_bytes!({beside:?}))"),
                false => "None".to_owned(),
            }
        };
        let (br, gzip) = (packed("br"), packed("gz"));
        table += &format!("    File {{ path: {path:?}, bytes: include_bytes!({file:?}), br: {br}, gzip: {gzip} }},\n");
    }
    table += "];\n";
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default());
    fs::write(out.join("console.rs"), table)
}

fn ending(path: &Path) -> &str {
    path.extension().and_then(|e| e.to_str()).unwrap_or_default()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { walk(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
