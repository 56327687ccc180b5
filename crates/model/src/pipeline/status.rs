//! How jobs, stages and pipelines stand, in the field's own names, and how many statuses become one.

use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Status {
    /// Its predecessors have not ended.
    Created,
    WaitingForResource,
    Preparing,
    /// May start; no agent has begun it.
    Pending,
    Running,
    Success,
    Failed,
    /// Told to stop; its processes have not all ended.
    Canceling,
    Canceled,
    Skipped,
    /// Waits for a person to start it.
    Manual,
    /// Starts by itself at a given time.
    Scheduled,
}

impl Status {
    pub const ALL: [Self; 12] = [
        Self::Created,
        Self::WaitingForResource,
        Self::Preparing,
        Self::Pending,
        Self::Running,
        Self::Success,
        Self::Failed,
        Self::Canceling,
        Self::Canceled,
        Self::Skipped,
        Self::Manual,
        Self::Scheduled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::WaitingForResource => "waiting_for_resource",
            Self::Preparing => "preparing",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Canceling => "canceling",
            Self::Canceled => "canceled",
            Self::Skipped => "skipped",
            Self::Manual => "manual",
            Self::Scheduled => "scheduled",
        }
    }

    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }

    /// Nothing more happens unless a person asks for it.
    pub fn is_final(self) -> bool {
        match self {
            Self::Success | Self::Failed | Self::Canceled | Self::Skipped => true,
            Self::Created
            | Self::WaitingForResource
            | Self::Preparing
            | Self::Pending
            | Self::Running
            | Self::Canceling
            | Self::Manual
            | Self::Scheduled => false,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of what is seen among jobs: their statuses, and two shades that only exist in a fold.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Seen(u16);

/// Failed or cancelled, and allowed to.
const WARNED: Seen = Seen(1 << 12);
/// Waits for a person, and nothing waits for it.
const IGNORED: Seen = Seen(1 << 13);

impl Seen {
    const fn of(s: Status) -> Self {
        Self(1 << s as u8)
    }
    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
    fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

enum Test {
    /// Nothing outside this set is seen.
    Only(Seen),
    /// At least one of this set is seen.
    Any(Seen),
}
use Test::{Any, Only};

const CREATED: Seen = Seen::of(Status::Created);
const SUCCESS: Seen = Seen::of(Status::Success);
const SKIPPED: Seen = Seen::of(Status::Skipped);
const PENDING: Seen = Seen::of(Status::Pending);
const PREPARING: Seen = Seen::of(Status::Preparing);
const CANCELED: Seen = Seen::of(Status::Canceled);
const FAILED: Seen = Seen::of(Status::Failed);
const PASSED: Seen = WARNED.and(IGNORED);

/// The first row whose test holds names the status. The order is the rule: later rows rely on what earlier ones took.
const FOLD: &[(Test, Status)] = &[
    (Only(SKIPPED.and(IGNORED)), Status::Skipped),
    (Only(SUCCESS.and(SKIPPED).and(PASSED)), Status::Success),
    (Only(CREATED.and(PASSED)), Status::Created),
    (Only(PREPARING.and(PASSED)), Status::Preparing),
    (Only(CANCELED.and(SUCCESS).and(SKIPPED).and(PASSED)), Status::Canceled),
    (Only(PENDING.and(CREATED).and(SKIPPED).and(PASSED)), Status::Pending),
    (Any(Seen::of(Status::Running).and(PENDING)), Status::Running),
    (Any(Seen::of(Status::WaitingForResource)), Status::WaitingForResource),
    (Any(Seen::of(Status::Manual)), Status::Manual),
    (Any(Seen::of(Status::Scheduled)), Status::Scheduled),
    (Any(PREPARING), Status::Preparing),
    (Any(Seen::of(Status::Canceling)), Status::Canceling),
    (Any(CREATED), Status::Running),
];

/// For a job with `needs`, asked first: one that did not run stops it, one that has not ended holds it.
const NEEDS_FOLD: &[(Test, Status)] = &[(Any(SKIPPED.and(IGNORED)), Status::Skipped)];
const NEEDS_ENDED: Seen = SUCCESS.and(FAILED).and(CANCELED).and(WARNED);

/// One job as a fold sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    pub status: Status,
    /// Its failure, or its not being started, is nothing to the others.
    pub allowed: bool,
}

impl Member {
    /// Nobody has to wait for it any more.
    pub fn is_over(self) -> bool {
        self.status.is_final() || (self.allowed && self.status == Status::Manual)
    }
}

fn seen(members: impl IntoIterator<Item = Member>) -> Seen {
    members.into_iter().fold(Seen::default(), |set, m| {
        set.and(match (m.allowed, m.status) {
            (true, Status::Failed | Status::Canceled) => WARNED,
            (true, Status::Manual) => IGNORED,
            (_, status) => Seen::of(status),
        })
    })
}

fn first(rows: &[(Test, Status)], set: Seen) -> Option<Status> {
    rows.iter()
        .find(|(test, _)| match test {
            Only(allowed) => set.within(*allowed),
            Any(wanted) => set.meets(*wanted),
        })
        .map(|(_, status)| *status)
}

/// The status of a stage, of a pipeline, or of all that a stage waits for. `None` where there is no job.
pub fn fold(members: impl IntoIterator<Item = Member>) -> Option<Status> {
    let set = seen(members);
    if set == Seen::default() {
        return None;
    }
    Some(first(FOLD, set).unwrap_or(Status::Failed))
}

/// The status of what a job with `needs` waits for. `None` where it needs nothing.
pub fn fold_needs(members: impl IntoIterator<Item = Member>) -> Option<Status> {
    let set = seen(members);
    if set == Seen::default() {
        return None;
    }
    Some(first(NEEDS_FOLD, set).unwrap_or_else(|| {
        if set.within(NEEDS_ENDED) { first(FOLD, set).unwrap_or(Status::Failed) } else { Status::Pending }
    }))
}

/// Did every job that counts succeed, though some were allowed to fail and did?
pub fn has_warnings(members: impl IntoIterator<Item = Member>) -> bool {
    seen(members).meets(WARNED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Status::*;

    fn plain(s: &[Status]) -> Vec<Member> {
        s.iter().map(|&status| Member { status, allowed: false }).collect()
    }
    fn allowed(s: &[Status]) -> Vec<Member> {
        s.iter().map(|&status| Member { status, allowed: true }).collect()
    }

    #[test]
    fn each_row_of_the_fold_is_reached_and_holds_its_place() {
        let none: &[Status] = &[];
        for (must, may, expected) in [
            (none, none, None),
            (&[Skipped], none, Some(Skipped)),
            (&[], &[Manual], Some(Skipped)),
            (&[Skipped], &[Manual], Some(Skipped)),
            (&[Success], none, Some(Success)),
            (&[Success, Skipped], &[Failed, Canceled, Manual], Some(Success)),
            (&[], &[Failed], Some(Success)),
            (&[], &[Failed, Manual], Some(Success)),
            (&[Created], &[Failed, Manual], Some(Created)),
            (&[Preparing], none, Some(Preparing)),
            (&[Canceled], none, Some(Canceled)),
            (&[Canceled, Success, Skipped], &[Failed], Some(Canceled)),
            (&[Canceled, Failed], none, Some(Failed)),
            (&[Pending], none, Some(Pending)),
            (&[Pending, Created, Skipped], &[Manual], Some(Pending)),
            (&[Pending, Success], none, Some(Running)),
            (&[Pending, Failed], none, Some(Running)),
            (&[Running], none, Some(Running)),
            (&[Running, Manual, Scheduled, Canceling], none, Some(Running)),
            (&[WaitingForResource, Manual], none, Some(WaitingForResource)),
            (&[Manual, Created], none, Some(Manual)),
            (&[Manual, Scheduled, Failed], none, Some(Manual)),
            (&[Scheduled, Preparing, Created], none, Some(Scheduled)),
            (&[Preparing, Created], none, Some(Preparing)),
            (&[Canceling], none, Some(Canceling)),
            (&[Canceling, Created, Failed], none, Some(Canceling)),
            (&[Created, Success], none, Some(Running)),
            (&[Created, Failed], none, Some(Running)),
            (&[Failed, Skipped, Success], none, Some(Failed)),
        ] {
            let all = [plain(must), allowed(may)].concat();
            assert_eq!(fold(all), expected, "{must:?} and, allowed to fail, {may:?}");
        }
    }

    #[test]
    fn needs_wait_for_all_and_stop_at_one_that_did_not_run() {
        for (must, may, expected) in [
            (&[][..], &[][..], None),
            (&[Success, Success], &[], Some(Success)),
            (&[Success], &[Failed], Some(Success)),
            (&[Success, Skipped], &[], Some(Skipped)),
            (&[Running, Skipped], &[], Some(Skipped)),
            (&[Success], &[Manual], Some(Skipped)),
            (&[Success, Manual], &[], Some(Pending)),
            (&[Failed, Running], &[], Some(Pending)),
            (&[Failed, Created], &[], Some(Pending)),
            (&[Failed, Success], &[], Some(Failed)),
            (&[Canceled, Success], &[], Some(Canceled)),
        ] {
            let all = [plain(must), allowed(may)].concat();
            assert_eq!(fold_needs(all), expected, "{must:?} and, allowed to fail, {may:?}");
        }
    }

    #[test]
    fn the_order_of_members_never_matters_and_a_fold_of_one_is_itself() {
        for a in Status::ALL {
            assert_eq!(fold(plain(&[a])), Some(a));
            assert_eq!(Status::parse(a.as_str()), Some(a));
            for b in Status::ALL {
                assert_eq!(fold(plain(&[a, b])), fold(plain(&[b, a])));
                assert_eq!(fold(plain(&[a, b, a])), fold(plain(&[b, a])));
                let one = [plain(&[a]), allowed(&[b])].concat();
                let other = [allowed(&[b]), plain(&[a])].concat();
                assert_eq!(fold(one), fold(other));
            }
        }
    }
}
