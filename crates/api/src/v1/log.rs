use super::Time;
use serde::{Deserialize, Serialize};
use tradewind_model::{
    id::{InstanceId, SiteName},
    protocol::agent as wire,
};
use utoipa::ToSchema;

/// A line an instance wrote.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    pub at: Time,
    #[schema(value_type = uuid::Uuid)]
    pub instance: InstanceId,
    #[schema(value_type = String)]
    pub site: SiteName,
    /// The instance's release.
    #[schema(example = "v3")]
    pub label: String,
    pub stream: LogStream,
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    Stdout,
    Stderr,
    /// What Tradewind itself says about the process: started, stopped, lines left out.
    System,
}

impl From<wire::LogStream> for LogStream {
    fn from(s: wire::LogStream) -> Self {
        match s {
            wire::LogStream::Stdout => Self::Stdout,
            wire::LogStream::Stderr => Self::Stderr,
            wire::LogStream::System => Self::System,
        }
    }
}

/// What a reader of a service's logs is told. Without `follow` the stream ends when every instance was read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LogUpdate {
    Line(LogLine),
    /// An instance cannot be read now, or no more: a sentence.
    Notice {
        text: String,
    },
}
