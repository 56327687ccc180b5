//! Server and agent: values on their way to a process that is about to begin. Over the agent's own connection, asked for
//! each time; never part of what is desired, which is written to disk.

use crate::secret::SecretUse;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What one instance or job is given.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Handover {
    pub values: Vec<HandedSecret>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedSecret {
    #[serde(flatten)]
    pub used: SecretUse,
    pub version: i64,
    pub value: String,
}

impl fmt::Debug for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.values).finish()
    }
}

impl fmt::Debug for HandedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (version {})", self.used.name, self.version)
    }
}
