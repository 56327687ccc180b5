//! The host's instances: what each is told, and what it has said.
//!
//! Two that would do the same work (`shards/fence.rs`) never run at the same time, whoever wants them to: one that is to
//! begin is left stopped until every such other one is at rest. At rest is who has no process, and has heard that it is not
//! to begin one.

use super::Host;
use crate::{
    instance::{
        decide::Wish,
        task::{Found, InstanceNews, InstanceTask, Wanted},
    },
    shards::fence::same_work,
};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};
use tokio::sync::watch;
use tradewind_model::{
    id::InstanceId,
    protocol::agent::{Desired, DesiredInstance, DesiredPhase, ObservedInstance},
    workload::ServiceKind,
};

pub(super) struct Held {
    wanted: watch::Sender<Wanted>,
    pub observed: ObservedInstance,
    /// The newest of its wishes that it has heard.
    heard: Option<u64>,
}

impl Held {
    pub fn desired(&self) -> Arc<DesiredInstance> {
        self.wanted.borrow().desired.clone()
    }

    /// What it said last, it said under the newest wish.
    fn has_heard(&self) -> bool {
        self.heard == Some(self.wanted.borrow().turn)
    }

    fn is_at_rest(&self) -> bool {
        self.wanted.borrow().wish != Wish::Run && self.has_heard() && self.observed.pid.is_none()
    }

    /// Whether it is of a kind of which two releases never run at the same time.
    fn works(&self) -> bool {
        match self.wanted.borrow().desired.workload.kind {
            ServiceKind::Worker | ServiceKind::Cron => true,
            ServiceKind::Web => false,
        }
    }

    fn tell(&self, desired: Option<&DesiredInstance>, wish: Wish, host: &Host) {
        self.wanted.send_if_modified(|wanted| {
            let other = desired.filter(|d| *wanted.desired != **d);
            if let Some(desired) = other {
                wanted.desired = Arc::new(desired.clone());
            }
            let release = host.releases.fact(&wanted.desired.release);
            let served = host.ledger.may_be_served(wanted.desired.id);
            let changed = wanted.wish != wish || wanted.release != release || wanted.served != served;
            wanted.turn += u64::from(wanted.wish != wish);
            (wanted.wish, wanted.release, wanted.served) = (wish, release, served);
            changed || other.is_some()
        });
    }
}

impl Host {
    pub(super) fn instance_said(&mut self, news: InstanceNews) {
        match news {
            InstanceNews::Changed { observed, heard } => {
                if let Some(held) = self.instances.get_mut(&observed.id) {
                    (held.observed, held.heard) = (*observed, Some(heard));
                }
            }
            InstanceNews::Gone(id) => {
                if let Some(held) = self.instances.remove(&id) {
                    self.tally_last(&held);
                }
            }
        }
    }

    /// Those that an earlier agent left, those that run before those that could begin.
    pub(super) fn take_up_all(&mut self, mut found: Vec<Found>) {
        // What is desired now counts from the first moment: what is to rest by now begins nothing.
        if let Some(desired) = &self.desired {
            for found in &mut found {
                let listed = desired.instances.iter().find(|i| i.id == found.kept.desired.id);
                found.kept.desired = match listed {
                    Some(instance) => Arc::new(self.as_it_is(desired, instance).into_owned()),
                    None => {
                        let kept = (*found.kept.desired).clone();
                        Arc::new(DesiredInstance { phase: DesiredPhase::Stopped, ..kept })
                    }
                };
            }
        }
        found.sort_by_key(|f| (!f.is_running(), wish(&f.kept.desired) == Wish::Run));
        for found in found {
            self.take_up(found);
        }
    }

    pub(super) fn take_up(&mut self, found: Found) {
        let desired = found.kept.desired.clone();
        let wish = match wish(&desired) {
            Wish::Run if !found.is_running() && !self.may_begin(&desired) => Wish::Stopped,
            wish => wish,
        };
        // Nobody has ever told it to begin.
        let heard = (!found.is_running() && wish != Wish::Run).then_some(0);
        let wanted = Wanted {
            wish,
            turn: 0,
            release: self.releases.fact(&desired.release),
            served: self.ledger.may_be_served(desired.id),
            desired: desired.clone(),
        };
        let (sender, receiver) = watch::channel(wanted);
        let task =
            InstanceTask::new(self.launcher.clone(), self.time.clone(), receiver, self.instance_news.clone(), found);
        self.instances.insert(desired.id, Held { wanted: sender, observed: task.observed(), heard });
        self.children.spawn(task.run());
    }

    pub(super) fn take_up_new(&mut self, desired: &Desired) {
        for instance in &desired.instances {
            if !self.instances.contains_key(&instance.id) {
                let instance = self.as_it_is(desired, instance).into_owned();
                self.take_up(Found::fresh(Arc::new(instance)));
            }
        }
    }

    /// As the server wants it, but for what this host took back.
    fn as_it_is<'a>(&self, desired: &Desired, instance: &'a DesiredInstance) -> Cow<'a, DesiredInstance> {
        let phase = self.shards.trips.phase(&desired.shard_trials, instance);
        if phase == instance.phase {
            return Cow::Borrowed(instance);
        }
        Cow::Owned(DesiredInstance { phase, ..instance.clone() })
    }

    /// Nobody else does its work, or is about to.
    fn may_begin(&self, instance: &DesiredInstance) -> bool {
        self.instances.values().all(|held| held.is_at_rest() || !same_work(&held.wanted.borrow().desired, instance))
    }

    /// First all that are to end, then those that are to begin.
    pub(super) fn tell_instances(&self, desired: Option<&Desired>) {
        let listed: BTreeMap<InstanceId, Cow<'_, DesiredInstance>> =
            desired.iter().flat_map(|d| d.instances.iter().map(|i| (i.id, self.as_it_is(d, i)))).collect();
        let mut to_begin = Vec::new();
        for (id, held) in &self.instances {
            let told = listed.get(id).map(AsRef::as_ref);
            let wish = match (told, desired) {
                (Some(instance), _) => wish(instance),
                (None, Some(_)) => Wish::Gone,
                // Nobody ever told us what is desired: what runs goes on.
                (None, None) => wish(&held.wanted.borrow().desired),
            };
            let begun = held.wanted.borrow().wish == Wish::Run || held.observed.pid.is_some();
            if wish == Wish::Run && !begun && held.works() {
                held.tell(told, Wish::Stopped, self);
                to_begin.push(held);
            } else {
                held.tell(told, wish, self);
            }
        }
        for held in to_begin {
            if self.may_begin(&held.desired()) {
                held.tell(None, Wish::Run, self);
            }
        }
    }

    /// Whoever does work that two must not do has heard what is desired.
    pub(super) fn all_have_heard(&self) -> bool {
        self.instances.values().all(|held| held.has_heard() || !held.works())
    }
}

pub(super) fn wish(instance: &DesiredInstance) -> Wish {
    match instance.phase {
        DesiredPhase::Run => Wish::Run,
        DesiredPhase::Stopped => Wish::Stopped,
    }
}
