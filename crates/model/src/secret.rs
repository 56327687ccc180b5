//! Secrets by name: what a service or a job wants, and where what was set holds. Values are not spoken of here.

use crate::id::{BadId, EnvName, Place, ServiceName, SiteName};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

const LONGEST_NAME: usize = 64;
const LONGEST_FILE: usize = 64;

/// `DB_PASSWORD`: letters, digits and `_`, not beginning with a digit, so that it can name a variable.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretName(String);

impl SecretName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl TryFrom<String> for SecretName {
    type Error = BadId;
    fn try_from(s: String) -> Result<Self, BadId> {
        if s.len() <= LONGEST_NAME && crate::spec::values::is_variable(&s) {
            Ok(Self(s))
        } else {
            Err(BadId::NotASecret(s))
        }
    }
}
impl FromStr for SecretName {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        s.to_owned().try_into()
    }
}
impl From<SecretName> for String {
    fn from(name: SecretName) -> Self {
        name.0
    }
}
impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// A secret that a process is given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SecretUse {
    pub name: SecretName,
    /// The variable that holds the value, or with `file` the file's path.
    pub variable: String,
    /// A file's name in a folder in memory; see [`FOLDER_VARIABLE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl SecretUse {
    /// In the variable of its own name.
    pub fn plain(name: SecretName) -> Self {
        Self { variable: name.as_str().to_owned(), name, file: None }
    }
}

/// The folder of the files that are secrets.
pub const FOLDER_VARIABLE: &str = "TRADEWIND_SECRETS_DIR";

/// Of a file that holds a secret: a name and no path.
pub fn is_file_name(text: &str) -> bool {
    (1..=LONGEST_FILE).contains(&text.len())
        && !text.starts_with('.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// Where a secret holds; what is not said holds everywhere. A site is said with its environment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Scope {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<EnvName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteName>,
}

impl Scope {
    /// `shop/production/*`: one text for each scope.
    pub fn key(&self) -> String {
        let part = |name: Option<&str>| name.unwrap_or("*").to_owned();
        let (service, env, site) = (&self.service, &self.env, &self.site);
        [
            part(service.as_ref().map(ServiceName::as_str)),
            part(env.as_ref().map(EnvName::as_str)),
            part(site.as_ref().map(SiteName::as_str)),
        ]
        .join("/")
    }

    pub fn covers(&self, place: &Place) -> bool {
        self.covers_some(&place.service, Some(&place.env), Some(&place.site))
    }

    /// Of a service that is in no environment or in no particular site, such as a job's.
    pub fn covers_some(&self, service: &ServiceName, env: Option<&EnvName>, site: Option<&SiteName>) -> bool {
        self.service.as_ref().is_none_or(|s| s == service)
            && self.env.as_ref().is_none_or(|e| Some(e) == env)
            && self.site.as_ref().is_none_or(|s| Some(s) == site)
    }

    /// How closely it describes a place: of several that cover it, the greatest holds. The site says most, since it is in
    /// one environment; then the environment, so that what is production's is never replaced by what a service has everywhere.
    pub fn rank(&self) -> (bool, bool, bool) {
        (self.site.is_some(), self.env.is_some(), self.service.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_a_variable() {
        for good in ["DB_PASSWORD", "_x", "a1"] {
            assert_eq!(good.parse::<SecretName>().unwrap().as_str(), good);
        }
        for bad in ["", "1A", "A-B", "A B", "A=B", "ä", "A\n", &"A".repeat(65)] {
            assert_eq!(bad.parse::<SecretName>(), Err(BadId::NotASecret(bad.to_owned())), "{bad:?}");
        }
    }

    #[test]
    fn a_file_is_a_name_and_no_path() {
        assert!(is_file_name("gcp.json") && is_file_name("id_rsa-2"));
        for bad in ["", ".", "..", ".ssh", "a/b", "a b", "ä", &"a".repeat(65)] {
            assert!(!is_file_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn the_scope_that_says_most_holds() {
        let place =
            Place { service: "shop".parse().unwrap(), env: "production".parse().unwrap(), site: "br".parse().unwrap() };
        let scope = |service: &str, env: &str, site: &str| Scope {
            service: service.parse().ok(),
            env: env.parse().ok(),
            site: site.parse().ok(),
        };
        let rising = [
            scope("", "", ""),
            scope("shop", "", ""),
            scope("", "production", ""),
            scope("shop", "production", ""),
            scope("", "production", "br"),
            scope("shop", "production", "br"),
        ];
        assert!(rising.windows(2).all(|pair| pair[0].rank() < pair[1].rank()));
        assert!(rising.iter().all(|scope| scope.covers(&place)));
        for other in [scope("erp", "", ""), scope("", "staging", ""), scope("shop", "production", "us")] {
            assert!(!other.covers(&place), "{other:?}");
        }
        assert_eq!(scope("shop", "production", "").key(), "shop/production/*");
        assert_eq!(Scope::default().key(), "*/*/*");
    }
}
