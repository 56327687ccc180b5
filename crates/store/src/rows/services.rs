//! Services: what is deployed.

use tradewind_model::{event::Actor, id::ServiceName, time::Timestamp};

use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Row, args},
};

macro_rules! columns {
    () => {
        "name, owner, default_branch, created_by, created_at, version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM services WHERE org_id = $1 AND name = $2");
    LIST = concat!("SELECT ", columns!(), " FROM services WHERE org_id = $1 AND name > $2 ORDER BY name LIMIT $3");
    INSERT = "INSERT INTO services (org_id, name, owner, default_branch, created_by, created_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, 1) ON CONFLICT (org_id, name) DO NOTHING";
    UPDATE = "UPDATE services SET owner = $1, default_branch = $2, version = version + 1
        WHERE org_id = $3 AND name = $4 AND version = $5";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    pub name: ServiceName,
    /// Who answers for it: a person or a team.
    pub owner: String,
    pub default_branch: String,
    pub created_by: Actor,
    pub created_at: Timestamp,
    pub version: i64,
}

pub struct NewService {
    pub name: ServiceName,
    pub owner: String,
    pub default_branch: String,
    pub created_by: Actor,
}

impl Service {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            name: r.parse("name")?,
            owner: r.text("owner")?,
            default_branch: r.text("default_branch")?,
            created_by: r.actor("created_by")?,
            created_at: r.time("created_at")?,
            version: r.i64("version")?,
        })
    }
}

pub async fn find(r: &mut impl Reader, name: &ServiceName) -> Result<Option<Service>> {
    let args = args![r.org(), name];
    r.fetch_opt(&GET, args).await?.as_ref().map(Service::from_row).transpose()
}

pub async fn get(r: &mut impl Reader, name: &ServiceName) -> Result<Service> {
    find(r, name).await?.ok_or_else(|| StoreError::not_found("service", name))
}

/// By name, `limit` at most, those after `after`.
pub async fn list(r: &mut impl Reader, after: Option<&ServiceName>, limit: u32) -> Result<Vec<Service>> {
    let args = args![r.org(), after.map_or("", ServiceName::as_str), limit];
    r.fetch_all(&LIST, args).await?.iter().map(Service::from_row).collect()
}

/// # Errors
/// [`StoreError::Duplicate`] where the name is taken.
pub async fn insert(tx: &mut Tx, new: NewService) -> Result<Service> {
    let now = tx.now();
    let args = args![tx.org(), &new.name, &new.owner, &new.default_branch, &new.created_by, now];
    if tx.execute(&INSERT, args).await? == 0 {
        return Err(StoreError::Duplicate { what: format!("service `{}`", new.name), source: None });
    }
    let NewService { name, owner, default_branch, created_by } = new;
    Ok(Service { name, owner, default_branch, created_by, created_at: now, version: 1 })
}

/// Owner and default branch can change.
pub async fn update(tx: &mut Tx, service: Service) -> Result<Service> {
    let args = args![&service.owner, &service.default_branch, tx.org(), &service.name, service.version];
    match tx.execute(&UPDATE, args).await? {
        1 => Ok(Service { version: service.version + 1, ..service }),
        _ => Err(StoreError::conflict("service", service.name)),
    }
}
