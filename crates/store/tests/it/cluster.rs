//! A PostgreSQL server of this test process, and databases on it.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OnceCell;
use tradewind_testkit::rig::Postgres;

pub struct Cluster {
    server: Postgres,
    databases: AtomicU32,
    /// An empty database with the schema, to be copied.
    template: OnceCell<()>,
}

impl Cluster {
    pub async fn start() -> Self {
        let cluster =
            Self { server: Postgres::start().unwrap(), databases: AtomicU32::new(0), template: OnceCell::new() };
        for _ in 0..600 {
            if PgConnection::connect(&cluster.url("postgres")).await.is_ok() {
                return cluster;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("it listens, and does not answer");
    }

    pub fn url(&self, database: &str) -> String {
        self.server.url(database)
    }

    async fn make(&self, sql: String) {
        let mut admin = PgConnection::connect(&self.url("postgres")).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
    }

    /// A database of its own without a schema.
    pub async fn empty_database(&self) -> String {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.make(format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    /// A database of its own with the schema.
    pub async fn database(&self) -> String {
        self.template
            .get_or_init(async || {
                self.make("CREATE DATABASE template".to_owned()).await;
                let clock = std::sync::Arc::new(tradewind_model::time::SystemClock);
                tradewind_store::Store::open(&self.url("template"), clock).await.unwrap().close().await;
            })
            .await;
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.make(format!("CREATE DATABASE {name} TEMPLATE template")).await;
        self.url(&name)
    }
}
