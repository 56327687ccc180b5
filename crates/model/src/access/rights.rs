use super::{Action, Bounds, Ceiling, Role, Subject};
use serde::{Deserialize, Serialize};

/// A role, and where it holds.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Grant {
    pub role: Role,
    #[serde(flatten)]
    pub bounds: Bounds,
}

impl Grant {
    fn allows(&self, action: Action, subject: &Subject) -> bool {
        self.role.allows(action) && self.bounds.hold(subject)
    }
}

/// What a token takes of its owner's rights.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cap {
    pub ceiling: Ceiling,
    pub bounds: Bounds,
}

/// What somebody may, at the moment it was looked up. By default nothing.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Rights {
    grants: Vec<Grant>,
    cap: Option<Cap>,
}

/// Why not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// It cannot even be seen: to be answered as what does not exist.
    Unseen,
    /// No role here allows it.
    Role,
    /// A role does, and the token was not made for it.
    Token,
}

impl Rights {
    pub fn new(grants: Vec<Grant>) -> Self {
        Self { grants, cap: None }
    }

    pub fn none() -> Self {
        Self::new(Vec::new())
    }

    /// The control plane's own, and the machine owner's.
    pub fn all() -> Self {
        Self::new(vec![Grant { role: Role::Admin, bounds: Bounds::default() }])
    }

    pub fn capped(self, cap: Cap) -> Self {
        Self { cap: Some(cap), ..self }
    }

    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    pub fn cap(&self) -> Option<&Cap> {
        self.cap.as_ref()
    }

    pub fn may(&self, action: Action, subject: &Subject) -> bool {
        self.check(action, subject).is_ok()
    }

    /// # Errors
    /// Why it may not be done.
    pub fn check(&self, action: Action, subject: &Subject) -> Result<(), Refused> {
        let token = self.cap.as_ref().is_none_or(|c| c.ceiling >= action.ceiling() && c.bounds.hold(subject));
        let role = self.grants.iter().any(|g| g.allows(action, subject));
        match (role, token) {
            (true, true) => Ok(()),
            _ if action != Action::Read && !self.may(Action::Read, &seen(subject)) => Err(Refused::Unseen),
            _ if action == Action::Read => Err(Refused::Unseen),
            (false, _) => Err(Refused::Role),
            (true, false) => Err(Refused::Token),
        }
    }

    /// Whether there is anything at all it may be done to.
    pub fn may_somewhere(&self, action: Action) -> bool {
        self.may(action, &Subject::ANYWHERE)
    }

    /// Nobody hands out what they do not have: each action of the role, on all there is within its bounds.
    pub fn may_hand_out(&self, grant: &Grant) -> bool {
        let whole = grant.bounds.whole();
        Action::ALL.into_iter().filter(|a| grant.role.allows(*a)).all(|a| self.may(a, &whole))
    }

    /// What is allowed where, as [`Self::check`] decides it: of each role the actions that the token may take, within the bounds
    /// of both.
    pub fn reach(&self) -> Vec<(Vec<Action>, Bounds)> {
        let of = |grant: &Grant| {
            let bounds = match &self.cap {
                None => grant.bounds.clone(),
                Some(cap) => grant.bounds.and(&cap.bounds)?,
            };
            let held = Action::ALL.into_iter().filter(|a| grant.role.allows(*a));
            let actions: Vec<_> = held.filter(|a| self.cap.as_ref().is_none_or(|c| c.ceiling >= a.ceiling())).collect();
            (!actions.is_empty()).then_some((actions, bounds))
        };
        self.grants.iter().filter_map(of).collect()
    }

    /// The roles held anywhere: what a policy on second factors looks at.
    pub fn roles(&self) -> impl Iterator<Item = Role> {
        self.grants.iter().map(|g| g.role)
    }
}

/// Who may see one of all may see that there are some.
fn seen(subject: &Subject) -> Subject {
    fn one<T: Clone + PartialEq>(part: &super::Part<T>) -> super::Part<T> {
        match part {
            super::Part::Of(it) => super::Part::Of(it.clone()),
            super::Part::Every | super::Part::None => super::Part::None,
        }
    }
    Subject { service: one(&subject.service), env: one(&subject.env), site: one(&subject.site) }
}
