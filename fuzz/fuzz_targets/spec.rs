//! Any text as tradewind.yaml, and as an environment's policy: it is understood, or every fault has its place and both
//! languages.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tradewind_model::{
    fault::{Fault, Lang},
    spec::{Spec, policy::Policy},
    yaml,
};

fn told(faults: Vec<Fault>) {
    assert!(!faults.is_empty());
    for fault in faults {
        assert!(fault.at.is_some(), "{fault}");
        for lang in [Lang::En, Lang::Zh] {
            assert!(!fault.what(lang).is_empty() && !fault.fix(lang).is_empty(), "{fault}");
            // What is quoted of a file must not speak to the terminal it is shown on.
            let shown = fault.what(lang);
            assert!(!shown.contains('\x1b'), "{shown:?}");
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let text = match yaml::decode("tradewind.yaml", bytes) {
        Ok(text) => text,
        Err(fault) => return told(vec![fault]),
    };
    match Spec::parse("tradewind.yaml", text) {
        Ok(spec) => {
            for env in spec.environments.iter().map(|e| e.name.clone()).collect::<Vec<_>>() {
                let _ = spec.resolve(&env).map(|resolved| resolved.layout());
            }
        }
        Err(faults) => told(faults),
    }
    if let Err(faults) = Policy::parse("policy.yaml", text) {
        told(faults);
    }
});
