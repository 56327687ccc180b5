//! Statements: every SQL text of Tradewind is a constant, so that a test can prepare each of them on both databases.

/// One SQL text for SQLite and PostgreSQL, with `$1`, `$2`, … for its arguments.
#[derive(Debug)]
pub struct Stmt {
    /// `tradewind_store::rows::runs::GET`.
    pub name: &'static str,
    pub sql: &'static str,
    /// Why this write is no change of state that the event log would have to tell of.
    pub quiet: Option<&'static str>,
}

impl Stmt {
    pub(crate) fn is_read(&self) -> bool {
        self.sql.trim_start().starts_with("SELECT")
    }
}

/// Declares a module's statements and its `STATEMENTS`, which [`all`] collects:
/// `statements! { GET = "SELECT …"; TOUCH quiet "liveness only" = "UPDATE …"; }`
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident $(quiet $why:literal)? = $sql:expr;)+) => {
        $($(#[$doc])* pub(crate) static $name: $crate::stmt::Stmt = $crate::stmt::Stmt {
            name: concat!(module_path!(), "::", stringify!($name)),
            sql: $sql,
            quiet: $crate::stmt::statements!(@quiet $($why)?),
        };)+
        pub(crate) static STATEMENTS: &[&$crate::stmt::Stmt] = &[$(&$name),+];
    };
    (@quiet) => { None };
    (@quiet $why:literal) => { Some($why) };
}
pub(crate) use statements;

/// Every statement the store can send.
pub fn all() -> Vec<&'static Stmt> {
    use crate::{events, lease, migrate, rows};
    [
        migrate::STATEMENTS,
        events::write::STATEMENTS,
        events::read::STATEMENTS,
        events::seal::STATEMENTS,
        events::audit::STATEMENTS,
        lease::STATEMENTS,
        rows::audit::STATEMENTS,
        rows::approvals::STATEMENTS,
        rows::artifact_terms::STATEMENTS,
        rows::certificates::STATEMENTS,
        rows::counters::STATEMENTS,
        rows::environments::STATEMENTS,
        rows::evidence::STATEMENTS,
        rows::forges::links::STATEMENTS,
        rows::forges::deliveries::STATEMENTS,
        rows::forges::statuses::STATEMENTS,
        rows::freezes::STATEMENTS,
        rows::grants::STATEMENTS,
        rows::groups::STATEMENTS,
        rows::invitations::STATEMENTS,
        rows::session_links::STATEMENTS,
        rows::sessions::STATEMENTS,
        rows::users::STATEMENTS,
        rows::usual::STATEMENTS,
        rows::hosts::STATEMENTS,
        rows::idempotency::STATEMENTS,
        rows::instances::STATEMENTS,
        rows::jobs::STATEMENTS,
        rows::login_codes::STATEMENTS,
        rows::observed::STATEMENTS,
        rows::orgs::STATEMENTS,
        rows::overview::STATEMENTS,
        rows::places::STATEMENTS,
        rows::queues::STATEMENTS,
        rows::releases::STATEMENTS,
        rows::revisions::STATEMENTS,
        rows::rollouts::STATEMENTS,
        rows::routes::STATEMENTS,
        rows::runs::STATEMENTS,
        rows::search::STATEMENTS,
        rows::secrets::STATEMENTS,
        rows::services::STATEMENTS,
        rows::settings::STATEMENTS,
        rows::sites::STATEMENTS,
        rows::tasks::STATEMENTS,
        rows::tokens::STATEMENTS,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    /// A module that is not listed in `all` would escape the test that prepares everything.
    #[test]
    fn every_module_with_statements_is_collected() {
        fn count(dir: &std::path::Path) -> usize {
            std::fs::read_dir(dir)
                .unwrap()
                .map(|e| e.unwrap().path())
                .map(|p| if p.is_dir() { count(&p) } else { declares(&p) })
                .sum()
        }
        fn declares(file: &std::path::Path) -> usize {
            let text = std::fs::read_to_string(file).unwrap();
            text.lines().filter(|l| l.starts_with("statements!")).count()
        }
        let declared = count(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        let mut modules: Vec<_> = super::all().iter().map(|s| s.name.rsplit_once("::").unwrap().0).collect();
        modules.sort();
        modules.dedup();
        assert_eq!(modules.len(), declared);
    }
}
