//! Which services are asked for, and in what order.

use super::standing::{Env, Service};
use std::{cmp::Reverse, fmt, str::FromStr};
use tradewind_api::v1::{Attention, Health, OverviewSort, ServiceKind};
use tradewind_model::{
    id::{EnvName, ServiceName},
    time::Timestamp,
};

/// What is left out lets everything through.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Choice {
    /// In the service's name, whatever its case.
    pub text: Option<String>,
    /// Only services that are there; the other filters then look there only.
    pub env: Option<EnvName>,
    pub health: Option<Health>,
    /// Any of these.
    pub attention: Vec<Attention>,
    pub kind: Option<ServiceKind>,
    pub owner: Option<String>,
    pub sort: OverviewSort,
}

/// Where a service stands in the order asked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cursor {
    by: By,
    name: ServiceName,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum By {
    Name,
    Changed(Reverse<Timestamp>),
    /// The gravest of its attentions; those without any come last.
    Attention(u8),
    Owner(String),
}

const WITHOUT: u8 = u8::MAX;

impl Choice {
    pub(super) fn of(&self, all: Vec<Service>) -> Vec<(Cursor, Service)> {
        let mut chosen: Vec<_> = all.into_iter().filter(|s| self.takes(s)).map(|s| (self.place(&s), s)).collect();
        chosen.sort_by(|(a, _), (b, _)| a.cmp(b));
        chosen
    }

    fn takes(&self, service: &Service) -> bool {
        let text = self.text.as_ref().is_none_or(|q| service.name.as_str().contains(&q.to_lowercase()));
        let there = self.env.is_none() || self.looked_at(service).next().is_some();
        let health = self.health.is_none_or(|h| {
            let mut sites = self.looked_at(service).flat_map(|e| &e.sites);
            sites.any(|site| site.health == h)
        });
        let attention = self.attention.is_empty()
            || self.looked_at(service).any(|e| e.attention().iter().any(|a| self.attention.contains(a)));
        text && there
            && health
            && attention
            && self.kind.is_none_or(|k| service.kind == Some(k))
            && self.owner.as_ref().is_none_or(|o| *o == service.owner)
    }

    fn looked_at<'a>(&'a self, service: &'a Service) -> impl Iterator<Item = &'a Env> {
        service.envs.iter().filter(|(name, _)| self.env.as_ref().is_none_or(|e| e == *name)).map(|(_, env)| env)
    }

    fn place(&self, service: &Service) -> Cursor {
        let by = match self.sort {
            OverviewSort::Name => By::Name,
            OverviewSort::Changed => By::Changed(Reverse(service.changed_at)),
            OverviewSort::Attention => {
                By::Attention(self.looked_at(service).flat_map(Env::attention).min().map_or(WITHOUT, |a| a as u8))
            }
            OverviewSort::Owner => By::Owner(service.owner.clone()),
        };
        Cursor { by, name: service.name.clone() }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            By::Name => write!(f, "name//{}", self.name),
            By::Changed(Reverse(at)) => write!(f, "changed/{}/{}", at.0, self.name),
            By::Attention(n) => write!(f, "attention/{n}/{}", self.name),
            By::Owner(owner) => write!(f, "owner/{owner}/{}", self.name),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a place in a list of services")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;
    fn from_str(s: &str) -> Result<Self, BadCursor> {
        let (rest, name) = s.rsplit_once('/').ok_or(BadCursor)?;
        let (sort, key) = rest.split_once('/').ok_or(BadCursor)?;
        let by = match sort {
            "name" if key.is_empty() => By::Name,
            "changed" => By::Changed(Reverse(Timestamp(key.parse().map_err(|_| BadCursor)?))),
            "attention" => By::Attention(key.parse().map_err(|_| BadCursor)?),
            "owner" => By::Owner(key.to_owned()),
            _ => return Err(BadCursor),
        };
        Ok(Self { by, name: name.parse().map_err(|_| BadCursor)? })
    }
}

impl Cursor {
    /// It belongs to a list in this order.
    pub fn fits(&self, sort: OverviewSort) -> bool {
        match (&self.by, sort) {
            (By::Name, OverviewSort::Name)
            | (By::Changed(_), OverviewSort::Changed)
            | (By::Attention(_), OverviewSort::Attention)
            | (By::Owner(_), OverviewSort::Owner) => true,
            (By::Name | By::Changed(_) | By::Attention(_) | By::Owner(_), _) => false,
        }
    }
}
