//! Forges where code lives elsewhere: GitHub, GitLab, Gitea and Forgejo, Gitee, Bitbucket. What they send is checked and
//! read here, what they are told is written here. No async, SQL, sockets or clock.
//!
//! A delivery is judged in two steps. [`verify`] looks at the bytes as they came and at the secret of the link they came
//! for, and knows nothing of JSON; only what it lets through reaches [`read`], which takes the few fields that matter and
//! refuses names that could be more than names. Which forge it has to be is said by the link, never by the delivery.
//!
//! Architecture invariant: there is no way through [`verify`] without a secret, and none with SHA-1.

mod kind;
mod payload;
mod repository;
mod secret;
pub mod status;
mod text;
mod verify;

pub use kind::{Kind, UnknownKind};
pub use payload::{BadPayload, Event, Push, read};
pub use repository::{BadRepository, Repository};
pub use secret::{BadSecret, HookSecret};
pub use text::{BadBranch, Branch, Delivery, plain};
pub use verify::{Head, Refused, Verified, WINDOW, verify};
