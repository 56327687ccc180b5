//! The server's answers to hooks.

use super::{
    Quarantine, check,
    hooks::Teller,
    push::Push,
    scan,
    wire::{Ask, Hook},
};
use crate::{
    App, faults,
    http::{Refusal, refusal},
};
use std::{path::PathBuf, sync::Arc};
use tradewind_control::services;
use tradewind_model::fault::{self, Fault, Text};

const MADE: Text = Text { en: "Made the service {service}.", zh: "已创建服务 {service}。" };
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
    match check::complaints(app, push, &ask.updates, quarantine.as_ref()).await {
        Ok(found) if found.is_empty() => match scan::scan(app, push, ask, &ask.updates, quarantine.as_ref()).await {
            Ok(scanned) => {
                if scanned.complaints.is_empty() {
                    tell(&scanned, push, teller).await;
                    return match scanned.audit(app, push).await {
                        Ok(()) => accept(app, push, teller).await,
                        Err(error) => reject(error.into(), push, teller).await,
                    };
                }
                for complaint in &scanned.complaints {
                    teller.line("").await;
                    teller.line(&complaint.text(push.lang)).await;
                }
                tell(&scanned, push, teller).await;
                teller.line("").await;
                teller.line(REJECTED.get(push.lang)).await;
                true
            }
            Err(error) => reject(error, push, teller).await,
        },
        Ok(found) => {
            for complaint in found {
                teller.line("").await;
                teller.line(&complaint.text(push.lang)).await;
            }
            teller.line("").await;
            teller.line(REJECTED.get(push.lang)).await;
            true
        }
        Err(error) => reject(error, push, teller).await,
    }
}

async fn tell(scanned: &scan::Scanned, push: &Push, teller: &Teller) {
    for line in scanned.lines(push) {
        teller.line(&line).await;
    }
}

/// The first push that brings a good spec makes the service.
async fn accept(app: &App, push: &Push, teller: &Teller) -> bool {
    let by = push.caller.asker(Some(format!("request/{}", push.request)));
    match services::ensure(&app.ctx, &push.service, &by).await {
        Ok((_, new)) => {
            if new {
                teller.line(&MADE.fill(push.lang, &[("service", push.service.as_str())])).await;
            }
            false
        }
        Err(error) => reject(error.into(), push, teller).await,
    }
}

async fn reject(why: Refusal, push: &Push, teller: &Teller) -> bool {
    if let Refusal::Internal(source) = &why {
        tracing::error!(request = push.request, error = %fault::chain(source.as_ref()), "a push could not be checked");
    }
    teller.line(&refusal::text(&why.problem(push.lang, &push.request))).await;
    true
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
