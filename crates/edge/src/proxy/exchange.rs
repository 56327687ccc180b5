//! One request from its assignment to the last byte of its answer: what it holds and how it is counted.

use super::body::{Fate, Watch};
use crate::{
    access_log::Record,
    counters::{Cause, Counters},
    pool::Sender,
    registry,
    table::LiveRoute,
    target::Flight,
    units::{Answered, End, Unit, Units, Who},
};
use http::HeaderValue;
use std::{sync::Arc, time::Instant};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Answering,
    Over,
}

/// Dropping it before its end means that the client went away.
pub struct Exchange {
    route: Arc<LiveRoute>,
    split: usize,
    began: Instant,
    phase: Phase,
    /// Verifications are not traffic.
    counted: bool,
    flight: Option<Flight>,
    /// With the request's body, if it had one: it may still be on its way.
    connection: Option<(Sender, Option<Arc<Watch>>)>,
    record: Option<Box<Record>>,
    unit: Counted,
}

/// What a trial on the route counts of it.
enum Counted {
    Nothing,
    Flying(Unit),
    Answered(Answered),
}

impl Exchange {
    pub fn begin(
        route: Arc<LiveRoute>,
        split: usize,
        began: Instant,
        at: tradewind_model::time::Timestamp,
        counted: bool,
        record: Option<Box<Record>>,
    ) -> Self {
        let this = Self {
            route,
            split,
            began,
            phase: Phase::Waiting,
            counted,
            flight: None,
            connection: None,
            record,
            unit: Counted::Nothing,
        };
        if let Some(counters) = this.counters() {
            counters.request(at);
        }
        this
    }

    /// A unit of the route's trial, from this moment on.
    pub fn counted_for(mut self, who: Option<Who>, at: Instant) -> Self {
        if let (Some(who), Some(arm), Some(units)) = (who, self.route.splits[self.split].arm, self.units()) {
            self.unit = Counted::Flying(units.begin(who, arm, at));
        }
        self
    }

    fn units(&self) -> Option<&Units> {
        self.route.trial.as_ref().map(|t| &*t.units)
    }

    fn end_unit(&mut self, end: End) {
        if let (Counted::Flying(unit), Some(units)) =
            (std::mem::replace(&mut self.unit, Counted::Nothing), self.units())
        {
            units.ended(unit, end);
        }
    }

    fn counters(&self) -> Option<&Counters> {
        self.counted.then(|| &*self.route.splits[self.split].counters)
    }

    pub fn is_for(&self, route: &Arc<LiveRoute>, split: usize) -> bool {
        Arc::ptr_eq(&self.route.splits[self.split].counters, &route.splits[split].counters)
    }

    pub fn enter(&mut self, flight: Flight) {
        self.flight = Some(flight);
    }

    /// Out of the target it was in, to try again.
    pub fn leave(&mut self) {
        self.flight = None;
    }

    pub fn flight(&self) -> Option<&Flight> {
        self.flight.as_ref()
    }

    pub fn retried(&self) {
        if let Some(counters) = self.counters() {
            counters.retry();
        }
    }

    /// The head of an instance's answer came.
    pub fn answering(&mut self, status: u16, now: Instant, connection: Option<(Sender, Option<Arc<Watch>>)>) {
        self.phase = Phase::Answering;
        self.connection = connection;
        self.count_response(status, now);
        if let (Counted::Flying(unit), Some(units)) =
            (std::mem::replace(&mut self.unit, Counted::Nothing), self.units())
        {
            self.unit = Counted::Answered(units.answered(unit, status >= 500, now));
        }
        if let (Some(record), Some(flight)) = (&mut self.record, &self.flight) {
            let split = &self.route.splits[self.split];
            record.answered(status, now, &self.route.id, split, flight.target().instance);
        }
    }

    /// The edge answers itself; `cause` when the upstream is to blame.
    pub fn refused(mut self, status: u16, cause: Option<Cause>, now: Instant) {
        self.phase = Phase::Over;
        if let (Some(cause), Some(counters)) = (cause, self.counters()) {
            counters.failure(cause);
        }
        self.count_response(status, now);
        if cause.is_some() {
            self.end_unit(End::Failed(now));
        }
        if let Some(record) = &mut self.record {
            record.refused(status, now, &self.route.id, cause.map(Cause::name));
        }
    }

    /// It is another split's now; the record goes with it.
    pub fn moved(mut self) -> Option<Box<Record>> {
        self.phase = Phase::Over;
        self.record.take()
    }

    /// Revision and instance, for a verification's answer.
    pub fn served_by(&self) -> Option<(HeaderValue, HeaderValue)> {
        let instance = self.flight.as_ref()?.target().instance;
        Some((self.route.splits[self.split].revision_header.clone(), registry::header(&instance.to_string())))
    }

    /// The drain time of its target is over.
    pub fn cut(&self) {
        if let Some(counters) = self.counters() {
            counters.cut();
        }
    }

    fn count_response(&self, status: u16, now: Instant) {
        if let Some(counters) = self.counters() {
            counters.response(status, now.saturating_duration_since(self.began));
        }
    }

    pub fn sent(&mut self, bytes: usize) {
        if let Some(record) = &mut self.record {
            record.bytes += bytes as u64;
        }
    }

    /// The answer is whole: the connection can carry another.
    pub fn ended(mut self) {
        self.phase = Phase::Over;
        if let (Some((connection, body)), Some(flight)) = (self.connection.take(), &self.flight) {
            let target = flight.target();
            if !target.is_draining() && (body.is_none() || connection.is_ready()) {
                target.pool.give(connection, Instant::now());
            }
        }
    }

    /// The instance broke its answer off.
    pub fn broke(mut self) {
        let body = self.connection.as_ref().and_then(|(_, body)| body.as_ref());
        match body.map_or(Fate::Whole, |b| b.fate()) {
            Fate::Going | Fate::Whole => {}
            // The connection was given up for what the client sent, or did not.
            Fate::Broken | Fate::TooLarge | Fate::TooSlow => return,
        }
        self.phase = Phase::Over;
        if let Some(record) = &mut self.record {
            record.cause = Some(Cause::Body.name());
        }
        if self.flight.as_ref().is_some_and(|f| f.target().cut.is_cancelled()) {
            self.cut();
            return;
        }
        if let Some(counters) = self.counters() {
            counters.failure(Cause::Body);
        }
        if let (Counted::Answered(answered), Some(units)) =
            (std::mem::replace(&mut self.unit, Counted::Nothing), self.units())
        {
            units.broke(answered);
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Counted::Flying(_) = self.unit {
            let hung_up = self.phase != Phase::Over;
            self.end_unit(if hung_up { End::HungUp(Instant::now()) } else { End::Void });
        }
        if self.phase != Phase::Over {
            if let Some(counters) = self.counters() {
                counters.client_abort();
            }
            if let Some(record) = &mut self.record {
                record.cause = Some("client_abort");
            }
        }
        if let Some(record) = self.record.take() {
            record.write();
        }
    }
}
