//! How many instances a revision has, and what they work: most releases leave it as it was, some do not.

use super::{random::Random, world::World};
use tradewind_model::{
    id::RevisionId,
    shards::{Layout, Shards},
    workload::ServiceKind,
};

#[derive(Clone, Debug)]
pub struct Size {
    pub instances: u32,
    /// `None` where every instance works everything.
    pub shards: Option<Shards>,
}

impl Size {
    pub fn first(random: &mut Random, kind: ServiceKind) -> Self {
        let sharded = kind != ServiceKind::Web && !random.one_in(4);
        if sharded { Self::sharded(random) } else { Self::plain(random) }
    }

    fn plain(random: &mut Random) -> Self {
        Self { instances: 1 + small(random, 3), shards: None }
    }

    fn sharded(random: &mut Random) -> Self {
        let count = 2 + small(random, 5);
        let shards = match random.one_in(3) {
            true => Shards::Numbered(count),
            false => Shards::Named((0..count).filter_map(|i| format!("shop-{i}").parse().ok()).collect()),
        };
        let instances = if random.one_in(2) { count } else { 1 + small(random, count) };
        Self { instances, shards: Some(shards) }
    }

    /// Of the next release.
    fn changed(&self, random: &mut Random) -> Self {
        match self.shards {
            _ if !random.one_in(4) => self.clone(),
            Some(_) if !random.one_in(12) => Self::sharded(random),
            Some(_) | None => Self::plain(random),
        }
    }

    pub fn layout(&self) -> Option<Layout> {
        self.shards.clone().map(|shards| Layout::new(shards, self.instances))
    }

    /// Whether this one's instance with an ordinal and the other's would do the same work.
    pub fn collides(&self, ordinal: u32, other: &Self, theirs: u32) -> bool {
        match (&self.shards, &other.shards) {
            // What is done by numbers of another whole may be anything.
            (Some(Shards::Numbered(a)), Some(Shards::Numbered(b))) if a != b => true,
            (Some(Shards::Named(_)), Some(Shards::Numbered(_)))
            | (Some(Shards::Numbered(_)), Some(Shards::Named(_))) => true,
            (Some(_), Some(_)) => {
                let carried = |size: &Self, ordinal| size.layout().map(|l| l.carried_by(ordinal)).unwrap_or_default();
                let mine = carried(self, ordinal);
                carried(other, theirs).iter().any(|shard| mine.contains(shard))
            }
            (None, _) | (_, None) => true,
        }
    }
}

fn small(random: &mut Random, below: u32) -> u32 {
    u32::try_from(random.below(below.into())).unwrap_or(0)
}

impl World {
    pub(super) fn size(&self, revision: RevisionId) -> Size {
        self.sizes.get(&revision).unwrap_or(&self.usual).clone()
    }

    /// A new release's, which the ones after it start from.
    pub(super) fn next_size(&mut self) -> Size {
        self.usual = self.usual.changed(&mut self.random);
        self.usual.clone()
    }
}
