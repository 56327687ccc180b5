//! One SQL text, two databases: the schemas are the same and every statement is understood by both.

use sqlx::{Column as _, Connection as _, Executor as _, PgConnection, Row as _, Statement as _, TypeInfo as _};
use std::collections::{BTreeMap, BTreeSet};

use crate::{cluster::Cluster, fixture::Fixture};

#[tokio::test]
async fn every_statement_is_prepared_on_sqlite() {
    let f = Fixture::sqlite().await;
    let pool = sqlx::SqlitePool::connect(&f.at).await.unwrap();
    let mut wrong = Vec::new();
    for stmt in tradewind_store::stmt::all() {
        if let Err(e) = pool.acquire().await.unwrap().prepare(sqlx::SqlStr::from_static(stmt.sql)).await {
            wrong.push(format!("{}: {e}", stmt.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_is_prepared_on_postgres_and_the_schemas_are_equal() {
    let cluster = Cluster::start().await;
    let f = Fixture::postgres(&cluster).await;
    let mut c = PgConnection::connect(&f.at).await.unwrap();
    let ours = BTreeSet::from(["INT8", "TEXT", "BYTEA"]);
    let mut wrong = Vec::new();
    for stmt in tradewind_store::stmt::all() {
        match c.prepare(sqlx::SqlStr::from_static(stmt.sql)).await {
            Err(e) => wrong.push(format!("{}: {e}", stmt.name)),
            Ok(prepared) => {
                for column in prepared.columns() {
                    if !ours.contains(column.type_info().name()) {
                        wrong.push(format!("{}: {} is {}", stmt.name, column.name(), column.type_info().name()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    let sqlite = Fixture::sqlite().await;
    let (here, there) = (sqlite_shape(&sqlite.at).await, postgres_shape(&mut c).await);
    assert!(here.len() > 20, "{:?}", here.keys());
    assert_eq!(here, there);
}

/// Tables by name; each with its columns (type, NOT NULL) and its unique keys.
type Shape = BTreeMap<String, (BTreeMap<String, (String, bool)>, BTreeSet<Vec<String>>)>;

async fn sqlite_shape(at: &str) -> Shape {
    let pool = sqlx::SqlitePool::connect(at).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let mut shape = Shape::new();
    for table in tables {
        let columns = sqlx::query("SELECT name, type, \"notnull\" AS required, pk FROM pragma_table_info($1)")
            .bind(&table)
            .fetch_all(&pool)
            .await
            .unwrap();
        let entry = shape.entry(table.clone()).or_default();
        let mut key: Vec<(i64, String)> = Vec::new();
        for c in columns {
            let (name, pk): (String, i64) = (c.get("name"), c.get("pk"));
            let kind = match c.get::<String, _>("type").as_str() {
                "BIGINT" | "INTEGER" => "INT8",
                "BLOB" => "BYTEA",
                "TEXT" => "TEXT",
                other => panic!("{table}.{name} is {other}"),
            };
            if pk > 0 {
                key.push((pk, name.clone()));
            }
            entry.0.insert(name, (kind.into(), pk > 0 || c.get::<i64, _>("required") == 1));
        }
        key.sort();
        entry.1.insert(key.into_iter().map(|(_, name)| name).collect());
        let indexes = sqlx::query("SELECT name, \"unique\" AS is_unique FROM pragma_index_list($1)")
            .bind(&table)
            .fetch_all(&pool)
            .await
            .unwrap();
        for index in indexes {
            if index.get::<i64, _>("is_unique") == 1 {
                let of: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_index_info($1) ORDER BY seqno")
                    .bind(index.get::<String, _>("name"))
                    .fetch_all(&pool)
                    .await
                    .unwrap();
                entry.1.insert(of);
            }
        }
    }
    shape
}

async fn postgres_shape(c: &mut PgConnection) -> Shape {
    let columns = sqlx::query(
        "SELECT table_name::text AS t, column_name::text AS c, udt_name::text AS u, is_nullable::text AS n
         FROM information_schema.columns WHERE table_schema = 'public'",
    )
    .fetch_all(&mut *c)
    .await
    .unwrap();
    let mut shape = Shape::new();
    for column in columns {
        let kind = column.get::<String, _>("u").to_uppercase();
        let required = column.get::<String, _>("n") == "NO";
        shape.entry(column.get("t")).or_default().0.insert(column.get("c"), (kind, required));
    }
    let uniques = sqlx::query(
        "SELECT r.relname::text AS t, array_agg(a.attname::text ORDER BY k.place) AS of
         FROM pg_index i JOIN pg_class r ON r.oid = i.indrelid JOIN pg_namespace n ON n.oid = r.relnamespace,
              unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place),
              pg_attribute a
         WHERE n.nspname = 'public' AND i.indisunique AND a.attrelid = r.oid AND a.attnum = k.attnum
         GROUP BY i.indexrelid, r.relname",
    )
    .fetch_all(&mut *c)
    .await
    .unwrap();
    for unique in uniques {
        shape.get_mut(&unique.get::<String, _>("t")).unwrap().1.insert(unique.get("of"));
    }
    shape
}
