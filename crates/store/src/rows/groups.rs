//! Groups of people, and who is in them.

use tradewind_model::{
    event::Actor,
    id::{GroupId, UserId},
    time::Timestamp,
};

use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader, Tx},
    value::{Row, args},
};

statements! {
    BY_NAME = "SELECT id, name, created_by, created_at FROM groups WHERE org_id = $1 AND name = $2";
    LIST = "SELECT id, name, created_by, created_at FROM groups WHERE org_id = $1 ORDER BY name";
    MEMBERS = "SELECT u.handle FROM group_members m JOIN users u ON u.id = m.user_id
        WHERE m.org_id = $1 AND m.group_id = $2 ORDER BY u.handle";
    OF_USER = "SELECT g.id, g.name, g.created_by, g.created_at FROM groups g JOIN group_members m ON m.group_id = g.id
        WHERE g.org_id = $1 AND m.user_id = $2 ORDER BY g.name";
    INSERT = "INSERT INTO groups (org_id, id, name, created_by, created_at) VALUES ($1, $2, $3, $4, $5)";
    DELETE = "DELETE FROM groups WHERE org_id = $1 AND id = $2";
    EMPTY = "DELETE FROM group_members WHERE org_id = $1 AND group_id = $2";
    ADD = "INSERT INTO group_members (org_id, group_id, user_id, added_by, added_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (group_id, user_id) DO NOTHING";
    REMOVE = "DELETE FROM group_members WHERE org_id = $1 AND group_id = $2 AND user_id = $3";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    pub created_by: Actor,
    pub created_at: Timestamp,
}

impl Group {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            id: r.parse("id")?,
            name: r.text("name")?,
            created_by: r.actor("created_by")?,
            created_at: r.time("created_at")?,
        })
    }
}

pub async fn by_name(r: &mut impl Reader, name: &str) -> Result<Option<Group>> {
    let args = args![r.org(), name];
    r.fetch_opt(&BY_NAME, args).await?.as_ref().map(Group::from_row).transpose()
}

/// By name.
pub async fn list(r: &mut impl Reader) -> Result<Vec<Group>> {
    let args = args![r.org()];
    r.fetch_all(&LIST, args).await?.iter().map(Group::from_row).collect()
}

/// Handles, in order.
pub async fn members(r: &mut impl Reader, id: GroupId) -> Result<Vec<String>> {
    let args = args![r.org(), id];
    r.fetch_all(&MEMBERS, args).await?.iter().map(|row| row.text("handle")).collect()
}

pub async fn of_user(r: &mut impl Reader, id: UserId) -> Result<Vec<Group>> {
    let args = args![r.org(), id];
    r.fetch_all(&OF_USER, args).await?.iter().map(Group::from_row).collect()
}

pub async fn insert(tx: &mut Tx, id: GroupId, name: &str, by: &Actor) -> Result<Group> {
    let now = tx.now();
    let args = args![tx.org(), id, name, by, now];
    tx.execute(&INSERT, args).await?;
    Ok(Group { id, name: name.to_owned(), created_by: by.clone(), created_at: now })
}

/// With who is in it.
pub async fn delete(tx: &mut Tx, id: GroupId) -> Result<()> {
    let args = args![tx.org(), id];
    tx.execute(&EMPTY, args.clone()).await?;
    tx.execute(&DELETE, args).await?;
    Ok(())
}

/// False where they were in it before.
pub async fn add(tx: &mut Tx, id: GroupId, user: UserId, by: &Actor) -> Result<bool> {
    let args = args![tx.org(), id, user, by, tx.now()];
    Ok(tx.execute(&ADD, args).await? == 1)
}

/// False where they were not in it.
pub async fn remove(tx: &mut Tx, id: GroupId, user: UserId) -> Result<bool> {
    let args = args![tx.org(), id, user];
    Ok(tx.execute(&REMOVE, args).await? == 1)
}
