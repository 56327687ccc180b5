//! Any text as .gitlab-ci.yml, planned for a push where it is understood.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tradewind_model::{
    fault::Lang,
    id::RunId,
    pipeline::{Trigger, file},
    time::Timestamp,
    yaml,
};

fn trigger() -> Trigger {
    Trigger {
        service: "shop".parse().expect("a name"),
        commit: "0123456789abcdef0123456789abcdef01234567".parse().expect("a commit"),
        git_ref: "refs/heads/main".into(),
        default_branch: "main".into(),
        message: "One\n\n$(x) `y` ; | -\n".into(),
        before: None,
        run: RunId::at(Timestamp(1_795_000_000_000_000)),
        number: 1,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = yaml::decode(".gitlab-ci.yml", bytes) else { return };
    match file::read(".gitlab-ci.yml", text) {
        Ok(file) => {
            let _ = file.plan(&trigger());
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in faults {
                assert!(fault.at.is_some(), "{fault}");
                assert!(!fault.what(Lang::Zh).contains('\x1b'), "{fault:?}");
            }
        }
    }
});
