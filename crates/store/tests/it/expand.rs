//! The version before this one goes on working on this version's schema: all that it sends is understood, and nothing that it
//! knows was taken away, tightened, or made to ask for what it does not give.

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _, SqlSafeStr as _};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tradewind_model::time::SystemClock;
use tradewind_store::{
    Store,
    migrate::{FLOOR, OURS, STEPS, Schema, Step},
};

use crate::{cluster::Cluster, fixture::Fixture};

/// Every statement of the version before, as `cargo xtask record-upgrade-fixture` wrote them from its code.
#[derive(serde::Deserialize)]
struct Before {
    schema: i64,
    statements: BTreeMap<String, String>,
}

fn before() -> Before {
    serde_json::from_str(include_str!("fixtures/statements-before.json")).unwrap()
}

#[tokio::test]
async fn every_statement_of_the_version_before_is_understood_by_sqlite() {
    let f = Fixture::sqlite().await;
    let pool = sqlx::SqlitePool::connect(&f.at).await.unwrap();
    let before = before();
    assert_eq!(before.schema, FLOOR, "the recorded version is the one that the floor is for");
    assert!(before.statements.len() > 100, "{}", before.statements.len());
    let mut wrong = Vec::new();
    for (name, sql) in &before.statements {
        if let Err(e) = pool.acquire().await.unwrap().prepare(sqlx::AssertSqlSafe(sql.as_str()).into_sql_str()).await {
            wrong.push(format!("{name}: {e}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_of_the_version_before_is_understood_by_postgres() {
    let cluster = Cluster::start().await;
    let f = Fixture::postgres(&cluster).await;
    let mut c = PgConnection::connect(&f.at).await.unwrap();
    let mut wrong = Vec::new();
    for (name, sql) in &before().statements {
        if let Err(e) = c.prepare(sqlx::AssertSqlSafe(sql.as_str()).into_sql_str()).await {
            wrong.push(format!("{name}: {e}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[derive(PartialEq, Eq, Debug)]
struct Column {
    kind: String,
    required: bool,
    has_default: bool,
}

#[derive(Default, Debug)]
struct Table {
    columns: BTreeMap<String, Column>,
    /// Columns of each unique key.
    unique: BTreeSet<Vec<String>>,
    /// Columns that name rows elsewhere.
    foreign: BTreeSet<String>,
    /// Conditions on rows, as they are written.
    checks: usize,
}

/// The schema after these steps, on a database of its own.
async fn shape(steps: &[Step]) -> BTreeMap<String, Table> {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("tradewind.db").to_str().unwrap().to_owned();
    let store = Store::open_with(&at, Arc::new(SystemClock), Schema { steps, floor: 1 }).await;
    // An early schema lacks what this program asks for once it is open; the steps are applied by then.
    if let Ok(store) = store {
        store.close().await;
    }
    let pool = sqlx::SqlitePool::connect(&at).await.unwrap();
    let tables = sqlx::query("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    let mut all = BTreeMap::new();
    for row in tables.fetch_all(&pool).await.unwrap() {
        let (name, sql): (String, String) = (row.get("name"), row.get("sql"));
        let mut table = Table { checks: sql.to_uppercase().matches("CHECK").count(), ..Table::default() };
        let columns =
            sqlx::query("SELECT name, type, \"notnull\" AS required, dflt_value, pk FROM pragma_table_info($1)");
        for c in columns.bind(&name).fetch_all(&pool).await.unwrap() {
            let column = Column {
                kind: c.get("type"),
                required: c.get::<i64, _>("required") == 1,
                has_default: c.get::<Option<String>, _>("dflt_value").is_some(),
            };
            table.columns.insert(c.get("name"), column);
        }
        let indexes = sqlx::query_scalar("SELECT name FROM pragma_index_list($1) WHERE \"unique\" = 1").bind(&name);
        for index in indexes.fetch_all(&pool).await.unwrap() {
            let index: String = index;
            let of =
                sqlx::query_scalar("SELECT coalesce(name, '') FROM pragma_index_info($1) ORDER BY seqno").bind(index);
            table.unique.insert(of.fetch_all(&pool).await.unwrap());
        }
        let foreign = sqlx::query_scalar("SELECT \"from\" FROM pragma_foreign_key_list($1)").bind(&name);
        table.foreign = foreign.fetch_all(&pool).await.unwrap().into_iter().collect();
        all.insert(name, table);
    }
    all
}

/// What of the old schema the new one does not let be.
fn broken(old: &BTreeMap<String, Table>, new: &BTreeMap<String, Table>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, was) in old {
        let Some(is) = new.get(name) else {
            wrong.push(format!("{name} is gone"));
            continue;
        };
        for (column, was) in &was.columns {
            match is.columns.get(column) {
                None => wrong.push(format!("{name}.{column} is gone")),
                Some(is) if is != was => wrong.push(format!("{name}.{column} is {is:?}, was {was:?}")),
                Some(_) => {}
            }
        }
        for (column, is) in is.columns.iter().filter(|(c, _)| !was.columns.contains_key(*c)) {
            if is.required && !is.has_default {
                wrong.push(format!("{name}.{column} is asked for, and an older program does not give it"));
            }
        }
        wrong.extend(is.unique.difference(&was.unique).map(|of| format!("{name}: {of:?} is unique now")));
        let foreign = is.foreign.difference(&was.foreign).filter(|c| was.columns.contains_key(*c));
        wrong.extend(foreign.map(|c| format!("{name}.{c} names rows elsewhere now")));
        if is.checks > was.checks {
            wrong.push(format!("{name} has a condition on rows more"));
        }
    }
    wrong
}

fn upto(number: i64) -> Vec<Step> {
    STEPS.iter().filter(|s| s.number <= number).cloned().collect()
}

#[tokio::test]
async fn the_schema_of_the_version_before_is_still_there() {
    let old = shape(&upto(FLOOR)).await;
    assert!(old.len() > 20, "{:?}", old.keys());
    assert_eq!(broken(&old, &shape(STEPS).await), Vec::<String>::new());
}

#[tokio::test]
async fn a_step_that_an_older_program_could_not_bear_is_named() {
    let old = shape(STEPS).await;
    let next = OURS.steps.len() as i64 + 1;
    for (text, named) in [
        ("ALTER TABLE services RENAME COLUMN owner TO team", "services.owner is gone"),
        ("DROP TABLE usual", "usual is gone"),
        ("ALTER TABLE services DROP COLUMN default_branch", "services.default_branch is gone"),
        ("CREATE UNIQUE INDEX only_one ON services (owner)", "is unique now"),
        (
            "CREATE TABLE hosts2 (org_id TEXT NOT NULL, id TEXT NOT NULL PRIMARY KEY); DROP TABLE login_codes;
             ALTER TABLE hosts2 RENAME TO login_codes",
            "login_codes.hash is gone",
        ),
        (
            "CREATE TABLE s2 (org_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, changed_at BIGINT NOT NULL,
             version BIGINT NOT NULL, who TEXT NOT NULL, PRIMARY KEY (org_id, key)); DROP TABLE settings;
             ALTER TABLE s2 RENAME TO settings",
            "settings.who is asked for",
        ),
    ] {
        let steps: Vec<Step> = STEPS.iter().cloned().chain([Step::new(next, "next", text)]).collect();
        let wrong = broken(&old, &shape(&steps).await);
        assert!(wrong.iter().any(|w| w.contains(named)), "{named}: {wrong:?}");
    }
    let good =
        "ALTER TABLE services ADD COLUMN motto TEXT; ALTER TABLE services ADD COLUMN n BIGINT NOT NULL DEFAULT 0";
    let steps: Vec<Step> = STEPS.iter().cloned().chain([Step::new(next, "next", good)]).collect();
    assert_eq!(broken(&old, &shape(&steps).await), Vec::<String>::new());
}
