//! After the refs have moved.

use super::{hooks::Teller, push::Push, wire::Ask};
use crate::App;
use tradewind_model::fault::Text;

const STORED: Text = Text { en: "{ref} is at {commit} now.", zh: "{ref} 现位于 {commit}。" };

/// Says what has moved.
pub async fn post_receive(_app: &App, push: &Push, ask: &Ask, teller: &Teller) {
    for update in ask.updates.iter().filter(|u| !u.is_deletion()) {
        let args = [("ref", update.name.as_str()), ("commit", update.new.short())];
        if !teller.line(&STORED.fill(push.lang, &args)).await {
            return;
        }
    }
}
