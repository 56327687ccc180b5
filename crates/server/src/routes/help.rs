//! A page about every code.

use crate::{
    faults,
    http::{Params, Permission, Refusal, Route, layers::RequestInfo},
};
use axum::Extension;
use tradewind_model::fault::{Code, Fault};

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/help/{code}", Permission::Public, "help", page)
            .about("System", "What a code means and what to do about it")
            .gives_text("text/plain"),
    ]
}

/// Every code a caller can meet.
pub fn catalog() -> impl Iterator<Item = &'static Code> {
    let areas: [&[&Code]; 16] = [
        faults::ALL,
        crate::backup::faults::ALL,
        tradewind_store::faults::ALL,
        tradewind_audit::faults::ALL,
        tradewind_model::spec::faults::ALL,
        tradewind_model::spec::policy_faults::ALL,
        tradewind_model::yaml::faults::ALL,
        tradewind_model::pipeline::faults::ALL,
        tradewind_model::rollout::faults::ALL,
        tradewind_control::faults::ALL,
        tradewind_control::access::faults::ALL,
        tradewind_control::policies::faults::ALL,
        tradewind_control::certificates::faults::ALL,
        tradewind_control::secrets::faults::ALL,
        tradewind_control::forges::faults::ALL,
        tradewind_control::runs::faults::ALL,
    ];
    areas.into_iter().flatten().copied()
}

async fn page(Extension(info): Extension<RequestInfo>, Params(code): Params<String>) -> Result<String, Refusal> {
    let found = catalog().find(|c| c.id.eq_ignore_ascii_case(&code));
    let code = found.ok_or_else(|| Fault::new(&faults::NO_HELP).with("code", code))?;
    Ok(format!("{}\n\n{}\n\n{}\n", code.id, code.what.get(info.lang), code.fix.get(info.lang)))
}
