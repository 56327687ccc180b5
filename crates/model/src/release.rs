//! A release: immutable, whole, and without knowledge of any environment.

use crate::id::{Commit, Digest, ServiceName};
use serde::{Deserialize, Serialize};

/// One file of a bundle. The manifest is sorted by path.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// Relative, `/`-separated, no `..`, valid UTF-8.
    pub path: String,
    #[serde(flatten)]
    pub content: EntryContent,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EntryContent {
    File {
        digest: Digest,
        size: u64,
        executable: bool,
    },
    /// Relative, and it stays inside the bundle.
    Symlink {
        target: String,
    },
}

/// What a release is made of. Its digest is the SHA-256 of this value's canonical JSON, so equal content is an equal
/// release wherever it was built.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReleaseManifest {
    pub version: u32,
    pub service: ServiceName,
    pub commit: Commit,
    /// The bundle: a zstd-compressed tar in the artifact store, under its own digest.
    pub bundle: BundleRef,
    /// `tradewind.yaml` as pushed, so that a rollback never needs the source.
    pub spec: String,
    pub files: Vec<ManifestEntry>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BundleRef {
    pub digest: Digest,
    /// Bytes of the compressed archive.
    pub size: u64,
}

impl ReleaseManifest {
    /// The release's identity. The bundle's own digest and size are left out: compression is not content.
    pub fn digest(&self) -> Digest {
        #[derive(Serialize)]
        struct Canonical<'a> {
            version: u32,
            service: &'a ServiceName,
            commit: &'a Commit,
            spec: &'a str,
            files: &'a [ManifestEntry],
        }
        let canonical = Canonical {
            version: self.version,
            service: &self.service,
            commit: &self.commit,
            spec: &self.spec,
            files: &self.files,
        };
        Digest::of(&serde_json::to_vec(&canonical).expect("plain data serializes"))
    }
}
