//! Specs printed in the guide are ones a reader may copy.

use std::{fs, path::Path};
use tradewind_model::{
    fault::Lang,
    spec::{Spec, render_faults},
};

#[test]
fn specs_in_the_pages_are_sound() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut seen = 0;
    for page in ["README.md", "README.zh-CN.md", "docs/guide", "docs/guide.zh-CN"] {
        let path = root.join(page);
        let files =
            if path.is_dir() { fs::read_dir(path).unwrap().map(|f| f.unwrap().path()).collect() } else { vec![path] };
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for block in text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("\n```").next()) {
                if let Err(found) = Spec::parse("tradewind.yaml", block) {
                    panic!("{}:\n{}", file.display(), render_faults(&found, block, Lang::En));
                }
                seen += 1;
            }
        }
    }
    assert!(seen >= 6, "only {seen} specs were found");
}
