use crate::id::{EnvName, ServiceName, SiteName};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One dimension of what a request is about.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Part<T> {
    /// It is about this one.
    Of(T),
    /// It is about all of them: only who is bound to none in particular may.
    Every,
    /// It is not about any (a branch that leads nowhere, a service as such).
    None,
}

impl<T: PartialEq> Part<T> {
    /// `None` where all are meant.
    pub fn of(named: Option<T>) -> Self {
        named.map_or(Self::Every, Self::Of)
    }

    /// `None` where none is concerned.
    pub fn if_any(named: Option<T>) -> Self {
        named.map_or(Self::None, Self::Of)
    }

    fn within(&self, bound: Option<&T>) -> bool {
        match (self, bound) {
            (_, None) | (Self::None, Some(_)) => true,
            (Self::Of(this), Some(bound)) => this == bound,
            (Self::Every, Some(_)) => false,
        }
    }
}

/// What a request is about.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Subject {
    pub service: Part<ServiceName>,
    pub env: Part<EnvName>,
    pub site: Part<SiteName>,
}

impl Subject {
    /// The organisation as a whole.
    pub const ORGANISATION: Self = Self { service: Part::Every, env: Part::Every, site: Part::Every };
    /// Nothing in particular: whoever has the right anywhere has it here.
    pub const ANYWHERE: Self = Self { service: Part::None, env: Part::None, site: Part::None };

    /// A service as such, in no environment.
    pub fn service(name: ServiceName) -> Self {
        Self { service: Part::Of(name), env: Part::None, site: Part::None }
    }

    /// A service in an environment, as such: no site in particular.
    pub fn env(service: ServiceName, env: EnvName) -> Self {
        Self { service: Part::Of(service), env: Part::Of(env), site: Part::None }
    }

    pub fn place(place: &crate::id::Place) -> Self {
        Self {
            service: Part::Of(place.service.clone()),
            env: Part::Of(place.env.clone()),
            site: Part::Of(place.site.clone()),
        }
    }

    pub fn at(mut self, site: SiteName) -> Self {
        self.site = Part::Of(site);
        self
    }

    pub fn everywhere(mut self) -> Self {
        self.site = Part::Every;
        self
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [word(&self.service), word(&self.env), word(&self.site)];
        let last = parts.iter().rposition(Option::is_some).map_or(0, |at| at + 1);
        if last == 0 {
            return f.write_str("*");
        }
        let named: Vec<&str> = parts[..last].iter().map(|p| p.as_deref().unwrap_or("*")).collect();
        f.write_str(&named.join("/"))
    }
}

fn word<T: fmt::Display>(part: &Part<T>) -> Option<String> {
    match part {
        Part::Of(it) => Some(it.to_string()),
        Part::Every | Part::None => None,
    }
}

/// Where a grant holds, or how far a token reaches. What is left out is not narrowed.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Bounds {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<EnvName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteName>,
}

impl Bounds {
    pub fn hold(&self, subject: &Subject) -> bool {
        subject.service.within(self.service.as_ref())
            && subject.env.within(self.env.as_ref())
            && subject.site.within(self.site.as_ref())
    }

    /// What is within both; none where nothing is.
    pub fn and(&self, other: &Self) -> Option<Self> {
        fn both<T: Clone + PartialEq>(one: &Option<T>, other: &Option<T>) -> Option<Option<T>> {
            match (one, other) {
                (Some(a), Some(b)) if a != b => None,
                (Some(a), _) => Some(Some(a.clone())),
                (None, b) => Some(b.clone()),
            }
        }
        Some(Self {
            service: both(&self.service, &other.service)?,
            env: both(&self.env, &other.env)?,
            site: both(&self.site, &other.site)?,
        })
    }

    /// What is about everything within the bounds.
    pub fn whole(&self) -> Subject {
        Subject {
            service: Part::of(self.service.clone()),
            env: Part::of(self.env.clone()),
            site: Part::of(self.site.clone()),
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.whole().fmt(f)
    }
}
