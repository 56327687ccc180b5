//! What a few typed words find, over all services.

use tradewind_model::id::{RunId, ServiceName};

use crate::{error::Result, stmt::statements, tx::Reader, value::args};

statements! {
    // What begins with it comes first.
    SERVICES = r"SELECT name FROM services WHERE org_id = $1 AND name LIKE $2 ESCAPE '\'
        ORDER BY CASE WHEN name = $3 THEN 0 WHEN name LIKE $4 ESCAPE '\' THEN 1 ELSE 2 END, name LIMIT $5";
    RELEASES = "SELECT service, number FROM releases WHERE org_id = $1 AND commit_id >= $2 AND commit_id < $3
        ORDER BY created_at DESC, service LIMIT $4";
    RUNS = "SELECT id FROM runs WHERE org_id = $1 AND commit_id >= $2 AND commit_id < $3
        ORDER BY created_at DESC, id LIMIT $4";
}

/// Those with `text` in their name: the very one, then those that begin with it, then by name.
pub async fn services(r: &mut impl Reader, text: &str, limit: u32) -> Result<Vec<ServiceName>> {
    let text = text.to_ascii_lowercase();
    let plain = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    let args = args![r.org(), format!("%{plain}%"), &text, format!("{plain}%"), limit];
    r.fetch_all(&SERVICES, args).await?.iter().map(|row| row.parse("name")).collect()
}

/// Releases whose commit begins with these hexadecimal digits, newest first: the service and the number.
pub async fn releases(r: &mut impl Reader, commit: &str, limit: u32) -> Result<Vec<(ServiceName, i64)>> {
    let args = args![r.org(), commit, after(commit), limit];
    let rows = r.fetch_all(&RELEASES, args).await?;
    rows.iter().map(|row| Ok((row.parse("service")?, row.i64("number")?))).collect()
}

/// Runs of such a commit, newest first.
pub async fn runs(r: &mut impl Reader, commit: &str, limit: u32) -> Result<Vec<RunId>> {
    let args = args![r.org(), commit, after(commit), limit];
    r.fetch_all(&RUNS, args).await?.iter().map(|row| row.parse("id")).collect()
}

/// Behind everything that begins with it: `g` is behind every hexadecimal digit.
fn after(commit: &str) -> String {
    format!("{commit}g")
}
