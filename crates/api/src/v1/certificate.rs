use super::Time;
use serde::{Deserialize, Serialize};
use tradewind_model::id::Digest;
use utoipa::ToSchema;

/// A certificate that the edges of all hosts show. Its key is kept sealed and never given out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Certificate {
    /// Of the certificate with its chain, as PEM.
    #[schema(value_type = String)]
    pub id: Digest,
    pub names: Vec<String>,
    /// `uploaded` or `acme`.
    pub origin: String,
    pub valid_from: Time,
    pub valid_until: Time,
    /// Whole days; negative once it is over.
    pub days_left: i64,
    /// It ends soon: within 21 days if Tradewind renews it, 14 if you do.
    pub expiring: bool,
    /// Who added it.
    pub by: String,
    pub added_at: Time,
    /// Hosts whose edge says that it shows it.
    pub shown_on: u64,
}

/// Both in PEM.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddCertificate {
    /// The certificate first, then its chain.
    pub chain: String,
    pub key: String,
}

impl std::fmt::Debug for AddCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AddCertificate(…)")
    }
}
