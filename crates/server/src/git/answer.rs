//! The server's answers to hooks.

use super::{
    Quarantine, check,
    hooks::Teller,
    push::Push,
    wire::{Ask, Hook},
};
use crate::{App, faults, http::refusal};
use std::{path::PathBuf, sync::Arc};
use tradewind_model::fault::{Fault, Text};

const REJECTED: Text = Text {
    en: "Nothing was changed: the push is rejected. Correct the above, commit and push again.",
    zh: "未做任何更改：推送被拒绝。请修正以上问题，提交后重新推送。",
};

/// Says whether the push is to be rejected.
pub async fn answer(app: App, ask: Ask, teller: Teller) -> bool {
    let Some(push) = app.git.pushes.find(&ask.push) else {
        // The server that took this push in is gone; only its git lives on.
        teller.line(&Fault::new(&faults::LOST_PUSH).to_string()).await;
        return ask.hook == Hook::PreReceive;
    };
    match ask.hook {
        Hook::PreReceive => pre_receive(&app, &push, &ask, &teller).await,
        Hook::PostReceive => {
            super::follow::post_receive(&app, &push, &ask, &teller).await;
            false
        }
    }
}

async fn pre_receive(app: &App, push: &Arc<Push>, ask: &Ask, teller: &Teller) -> bool {
    let quarantine = quarantine(app, push, ask);
    match check::complaints(&app.git, push, &ask.updates, quarantine.as_ref()).await {
        Ok(told) if told.is_empty() => false,
        Ok(told) => {
            for text in told {
                teller.line("").await;
                teller.line(&text).await;
            }
            teller.line("").await;
            teller.line(REJECTED.get(push.lang)).await;
            true
        }
        Err(error) => {
            let request = uuid::Uuid::now_v7().to_string();
            tracing::error!(request, error = %refusal::chain(&error), "a push could not be checked");
            let problem = refusal::Refusal::internal(error).problem(push.lang, &request);
            teller.line(&refusal::text(&problem)).await;
            true
        }
    }
}

/// Only folders of the push's own repository are believed.
fn quarantine(app: &App, push: &Push, ask: &Ask) -> Option<Quarantine> {
    let home = std::fs::canonicalize(app.git.repos.path(&push.service)).ok()?;
    let inside = |path: &Option<PathBuf>| {
        let path = std::fs::canonicalize(path.as_ref()?).ok()?;
        path.starts_with(&home).then_some(path)
    };
    Some(Quarantine { objects: inside(&ask.objects)?, alternates: inside(&ask.alternates)? })
}
