//! YAML as people write it: a tree that knows where every part stands, for files whose faults must name a line.
//!
//! [`parse`] gives one document as [`Node`]s with anchors and merge keys already expanded, and refuses what would hurt:
//! duplicate keys, several documents, too much of anything. Scalars keep their text as written; who reads them decides
//! whether [`Scalar::resolve`] (YAML 1.1) or the text itself counts.

pub mod faults;
mod node;
mod parse;
mod scalar;

pub use node::{Entry, Key, Mapping, Node, Scalar, Span, Value};
pub use parse::{MergeOrder, Options, decode, parse};
pub use scalar::Resolved;
