//! Times on the wire.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use tradewind_model::time::Timestamp;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type},
    },
};

/// An instant as RFC 3339 in UTC with microseconds: `2026-11-11T00:00:00.000000Z`. Any offset is accepted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub Timestamp);

impl From<Timestamp> for Time {
    fn from(t: Timestamp) -> Self {
        Self(t)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let at: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(Timestamp(at.as_microsecond())))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .examples(["2026-11-11T00:00:00.000000Z"])
            .into()
    }
}

impl ToSchema for Time {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_and_round_trip() {
        let t = Time(Timestamp(1_700_000_000_123_456));
        let json = serde_json::to_string(&t).unwrap();
        assert_eq!(json, r#""2023-11-14T22:13:20.123456Z""#);
        assert_eq!(serde_json::from_str::<Time>(&json).unwrap(), t);
        assert_eq!(serde_json::from_str::<Time>(r#""2023-11-15T06:13:20.123456+08:00""#).unwrap(), t);
        assert!(serde_json::from_str::<Time>("1700000000").is_err());
    }
}
