//! The examples a newcomer copies have to be sound.

use std::{fs, path::Path};
use tradewind_model::{
    fault::Lang,
    pipeline::file,
    spec::{Pipeline, Spec, render_faults},
};

#[test]
fn specs_and_pipelines_of_the_examples_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut seen = 0;
    for example in fs::read_dir(folder).unwrap() {
        let folder = example.unwrap().path();
        let file = folder.join("tradewind.yaml");
        let source = fs::read_to_string(&file).unwrap();
        let spec = Spec::parse("tradewind.yaml", &source).unwrap_or_else(|found| {
            panic!("{}:\n{}", file.display(), render_faults(&found, &source, Lang::En));
        });
        seen += 1;
        if spec.pipeline == Pipeline::None {
            continue;
        }
        let source = fs::read_to_string(folder.join(".gitlab-ci.yml")).unwrap();
        if let Err(found) = file::read(".gitlab-ci.yml", &source) {
            panic!("{}:\n{}", folder.display(), render_faults(&found, &source, Lang::En));
        }
    }
    assert!(seen > 0);
}
