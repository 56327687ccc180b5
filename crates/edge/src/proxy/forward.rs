//! Carries a request to its target and the answer back; tries again where that cannot do harm.
//!
//! **When a request is sent again.** Only while not one byte of it was written: the connection could not be opened, or
//! hyper hands the request back because the idle connection was closed before it was taken up. Once it may have been
//! written it is never repeated, whatever its method: what an instance did with it cannot be known.

use super::{
    Proxy, RETRY_SOON_S, TRIES,
    body::{Fate, RequestBody, ResponseBody, Watch},
    choose::{Asker, Choice},
    exchange::Exchange,
    headers::{self, Seen},
    millis,
    origin::Origin,
    pages,
    peer::Peer,
    timer::Late,
    tunnel,
};
use crate::{access_log::Record, counters::Cause, faults, pool, registry, table::LiveRoute, target::Target};
use http::{HeaderValue, Method, Request, Response, StatusCode, header, request};
use http_body::Body as _;
use hyper::{body::Incoming, upgrade::OnUpgrade};
use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::watch,
    time::{timeout, timeout_at},
};
use tradewind_model::fault::Code;

const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// An answer the edge makes itself.
struct Refusal {
    code: &'static Code,
    /// When the upstream is to blame.
    cause: Option<Cause>,
    retry_after_s: Option<u32>,
    /// Where else to ask.
    location: Option<HeaderValue>,
}

impl Refusal {
    fn new(code: &'static Code) -> Self {
        Self { code, cause: None, retry_after_s: (code.status == 503).then_some(RETRY_SOON_S), location: None }
    }
    fn blame(code: &'static Code, cause: Cause) -> Self {
        Self { cause: Some(cause), ..Self::new(code) }
    }
}

impl Proxy {
    /// What the way of a request needs is put in one place before it starts, so that the future itself is small: servers
    /// move it about.
    pub fn handle(
        self: Arc<Self>,
        peer: Arc<Peer>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<ResponseBody>, Infallible>> + Send + use<> {
        let mut passage = Box::new(Passage::begin(self, peer, request));
        async move {
            let response = passage.carry().await;
            Ok(passage.finish(response))
        }
    }
}

/// One request's way through the edge.
struct Passage {
    proxy: Arc<Proxy>,
    peer: Arc<Peer>,
    /// Where a trusted proxy says it comes from.
    named: Option<Origin>,
    /// Until it is on its way.
    asked: Option<(request::Parts, RequestBody)>,
    upgrade: Option<OnUpgrade>,
    reader: pages::Reader,
    has_streams: bool,
    /// It came as a `CONNECT` of HTTP/2.
    is_connect: bool,
    began: Instant,
    /// When it began or, where it was held, was let go.
    admitted: Instant,
    seen: Seen,
    asker: Asker,
    /// Once it was assigned to a split.
    exchange: Option<Exchange>,
    record: Option<Box<Record>>,
    watch: Option<Arc<Watch>>,
    held: Option<Held>,
    full_until: Option<Instant>,
}

impl Passage {
    fn begin(proxy: Arc<Proxy>, peer: Arc<Peer>, mut request: Request<Incoming>) -> Self {
        let began = Instant::now();
        peer.asked(proxy.uptime.ms(began));
        let seen = Seen::of(request.headers());
        let has_streams = request.version() >= http::Version::HTTP_2;
        let named = Origin::named(&peer, request.headers(), &proxy.rules);
        let origin = named.as_ref().unwrap_or(&peer.origin);
        let is_connect = headers::from_extended_connect(&mut request);
        let wants_upgrade = is_connect || headers::wants_upgrade(request.headers(), seen);
        let upgrade = wants_upgrade.then(|| hyper::upgrade::on(&mut request));
        let (head, body) = request.into_parts();
        let record = proxy.log.as_ref().and_then(|log| log.begin(&head, &origin.ip, began));
        let (body, watch) = RequestBody::new(body, &proxy.rules);
        Self {
            reader: pages::Reader::of(&head.headers),
            asker: Asker::of(seen, origin.is_secure),
            asked: Some((head, body)),
            proxy,
            peer,
            named,
            upgrade,
            has_streams,
            is_connect,
            began,
            admitted: began,
            seen,
            exchange: None,
            record,
            watch,
            held: None,
            full_until: None,
        }
    }

    fn origin(&self) -> &Origin {
        self.named.as_ref().unwrap_or(&self.peer.origin)
    }

    async fn carry(&mut self) -> Response<ResponseBody> {
        let challenge = self.asked.as_ref().and_then(|(head, _)| self.proxy.tls.challenge(head.uri.path()));
        if let Some(answer) = challenge {
            return pages::challenge(answer);
        }
        match self.run().await {
            Ok(response) => response,
            Err(refusal) => {
                let mut response = pages::answer(refusal.code, &self.reader, refusal.retry_after_s);
                if let Some(location) = refusal.location {
                    response.headers_mut().insert(header::LOCATION, location);
                }
                self.refused(response.status().as_u16(), refusal.cause);
                response
            }
        }
    }

    /// The answer as it goes to this client.
    fn finish(self: Box<Self>, mut response: Response<ResponseBody>) -> Response<ResponseBody> {
        if let Some(hsts) = &self.proxy.hsts
            && self.origin().is_secure
        {
            response.headers_mut().entry(header::STRICT_TRANSPORT_SECURITY).or_insert_with(|| hsts.clone());
        }
        // RFC 9112, 6.1: after a body whose length was given in two ways the connection must not be used again. The
        // parser drops `Content-Length` beside `Transfer-Encoding`, so this closes after every chunked request.
        if !self.has_streams
            && (self.seen.has(Seen::TRANSFER_ENCODING)
                || self.proxy.is_retiring()
                // What else comes from a client that says two things at once is not worth reading.
                || response.status() == StatusCode::BAD_REQUEST && response.body().is_ours())
            && response.status() != StatusCode::SWITCHING_PROTOCOLS
        {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.body_mut().to(self.peer);
        response
    }

    async fn run(&mut self) -> Result<Response<ResponseBody>, Refusal> {
        let (mut head, mut body) = self.asked.take().expect("a request goes its way once");
        if head.method == Method::CONNECT || head.method == Method::TRACE {
            return Err(Refusal::new(&faults::NOT_PROXIED));
        }
        // A stream may say that nothing follows and send something all the same; an instance would have answered by then.
        if !body.is_end_stream() && self.declared(&head) == Some(0) {
            let ends_empty = Box::pin(timeout(self.proxy.rules.stall, body.ends_empty()));
            if !ends_empty.await.is_ok_and(|is_empty| is_empty) {
                return Err(Refusal::new(&faults::SLOW_BODY));
            }
        }
        let mut prepared = false;
        let mut now = self.began;
        loop {
            let (route, split, flight) = match self.proxy.choose(&head, &mut self.asker, now) {
                Choice::Go { route, split, flight } => (route, split, flight),
                Choice::Stale => {
                    tokio::task::yield_now().await;
                    continue;
                }
                Choice::Refuse { code, retry_after_s } => return Err(Refusal { retry_after_s, ..Refusal::new(code) }),
                Choice::Secure { location } => {
                    return Err(Refusal { location: Some(location), ..Refusal::new(&faults::SECURE) });
                }
                Choice::Hold { route, max_ms, max_requests } => {
                    self.hold(&route, millis(max_ms), max_requests).await?;
                    now = Instant::now();
                    self.admitted = now;
                    continue;
                }
                Choice::Full { route, split, target } => {
                    self.assign(&route, split);
                    self.wait_for_slot(&route, &target).await?;
                    now = Instant::now();
                    continue;
                }
                Choice::Exhausted { route, split } => {
                    self.assign(&route, split);
                    return Err(match self.asker.tried.is_empty() {
                        true => Refusal::blame(&faults::NO_TARGET, Cause::NoTarget),
                        false => Refusal::blame(&faults::CONNECT, Cause::Connect),
                    });
                }
            };
            self.held = None;
            let target = flight.target().clone();
            self.assign(&route, split).enter(flight);
            if !prepared {
                if self.declared(&head).is_some_and(|n| n > route.limits.max_body_bytes) {
                    return Err(Refusal::new(&faults::TOO_LARGE));
                }
                body.limit(route.limits.max_body_bytes);
                headers::to_instance(&mut head, self.seen, self.origin(), self.upgrade.is_some());
                prepared = true;
            }
            let idle = target.pool.take(now);
            let reused = idle.is_some();
            let mut sender = match idle {
                Some(sender) => sender,
                None => match pool::connect(&target, millis(route.limits.connect_ms)).await {
                    Ok(sender) => {
                        now = Instant::now();
                        sender
                    }
                    Err(error) => {
                        tracing::debug!(instance = %target.instance, addr = %target.addr, %error, "no connection");
                        self.next(&route, split, &target)?;
                        now = Instant::now();
                        continue;
                    }
                },
            };
            let send = std::pin::pin!(sender.try_send_request(Request::from_parts(head, body)));
            match self.head_of_answer(send, now, millis(route.limits.response_ms)).await {
                Ok(Ok(response)) => {
                    target.answered();
                    return self.answer(response, sender);
                }
                Ok(Err(mut error)) => match error.take_message() {
                    Some(unsent) => {
                        (head, body) = unsent.into_parts();
                        if reused {
                            self.retry();
                        } else {
                            self.next(&route, split, &target)?;
                        }
                        now = Instant::now();
                    }
                    None => return Err(self.broken(&route, split, &target)),
                },
                Err(Late) if self.fate() == Fate::Going => return Err(Refusal::new(&faults::SLOW_BODY)),
                Err(Late) => {
                    self.proxy.blame(&route, split, &target, Instant::now());
                    return Err(Refusal::blame(&faults::TIMEOUT, Cause::Timeout));
                }
            }
        }
    }

    /// Counts the request to a split; a request that has to choose again mostly comes to the same one.
    fn assign(&mut self, route: &Arc<LiveRoute>, split: usize) -> &mut Exchange {
        if self.exchange.as_ref().is_some_and(|e| !e.is_for(route, split)) {
            self.record = self.exchange.take().and_then(Exchange::moved);
        }
        self.exchange.get_or_insert_with(|| {
            let at = self.proxy.uptime.wall(self.began);
            let exchange =
                Exchange::begin(route.clone(), split, self.began, at, self.asker.is_traffic(), self.record.take());
            exchange.counted_for(self.asker.unit, self.admitted)
        })
    }

    /// Leaves a target that took no connection, for another if there is one.
    fn next(&mut self, route: &LiveRoute, split: usize, target: &Target) -> Result<(), Refusal> {
        self.proxy.blame(route, split, target, Instant::now());
        self.asker.tried.push(target.instance);
        if self.asker.tried.len() >= TRIES {
            return Err(Refusal::blame(&faults::CONNECT, Cause::Connect));
        }
        self.retry();
        Ok(())
    }

    fn retry(&mut self) {
        if let Some(exchange) = &mut self.exchange {
            exchange.leave();
            exchange.retried();
        }
    }

    fn fate(&self) -> Fate {
        self.watch.as_ref().map_or(Fate::Whole, |w| w.fate())
    }

    /// The connection ended after the request may have been written.
    fn broken(&self, route: &LiveRoute, split: usize, target: &Target) -> Refusal {
        match self.fate() {
            Fate::TooLarge => Refusal::new(&faults::TOO_LARGE),
            // Nobody is there to read it.
            Fate::Broken | Fate::TooSlow => Refusal::new(&faults::SLOW_BODY),
            Fate::Going | Fate::Whole if target.cut.is_cancelled() => {
                if let Some(exchange) = &self.exchange {
                    exchange.cut();
                }
                Refusal::new(&faults::CUT)
            }
            Fate::Going | Fate::Whole => {
                self.proxy.blame(route, split, target, Instant::now());
                Refusal::blame(&faults::RESET, Cause::Reset)
            }
        }
    }

    /// `Content-Length`; the parser has seen that it is one number.
    fn declared(&self, head: &request::Parts) -> Option<u64> {
        let has = self.seen.has(Seen::CONTENT_LENGTH);
        has.then(|| head.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()).flatten()
    }

    /// Waits for the answer's head, for as long as the request's body moves and `limit` beyond.
    async fn head_of_answer<F: Future>(
        &self,
        mut send: Pin<&mut F>,
        now: Instant,
        limit: Duration,
    ) -> Result<F::Output, Late> {
        let bytes = || self.watch.as_ref().map_or(0, |w| w.bytes());
        let (mut seen, mut now) = (bytes(), now);
        loop {
            match self.peer.timer.limit(now, limit, send.as_mut()).await {
                Err(Late) if bytes() != seen => (seen, now) = (bytes(), Instant::now()),
                done => return done,
            }
        }
    }

    async fn hold(&mut self, route: &LiveRoute, longest: Duration, max: u32) -> Result<(), Refusal> {
        let refusal = || Refusal::new(&faults::PAUSED);
        let Some(held) = &mut self.held else {
            // Chosen once more before it waits: the table may have changed since.
            self.held = Some(Held::enter(route, max, self.proxy.changed.subscribe()).ok_or_else(refusal)?);
            return Ok(());
        };
        let until = self.began + longest;
        drop(timeout_at(until.into(), held.changed.changed()).await.map_err(|_| refusal())?);
        Ok(())
    }

    /// Waits until there may be room; not long at once, because the table may change, too.
    async fn wait_for_slot(&mut self, route: &LiveRoute, target: &Target) -> Result<(), Refusal> {
        let now = Instant::now();
        let until = *self.full_until.get_or_insert(now + millis(route.limits.connect_ms));
        if now >= until {
            return Err(Refusal::blame(&faults::OVERLOAD, Cause::Overload));
        }
        let _ = timeout_at((now + LOOK_AGAIN).min(until).into(), target.slot(route.limits.max_in_flight)).await;
        Ok(())
    }

    fn answer(
        &mut self,
        response: Response<Incoming>,
        sender: pool::Sender,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let now = Instant::now();
        let Some(mut exchange) = self.exchange.take() else { return Err(Refusal::new(&faults::RESET)) };
        let upgrade = self.upgrade.take();
        let switching = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        // To a `CONNECT` any success would say that the tunnel is open.
        if (switching && upgrade.is_none()) || (self.is_connect && response.status().is_success()) {
            self.exchange = Some(exchange);
            return Err(Refusal::blame(&faults::RESET, Cause::Reset));
        }
        let (mut head, body, far_end) = if switching {
            let mut response = response;
            let far_end = hyper::upgrade::on(&mut response);
            let (head, body) = response.into_parts();
            (head, body, Some(far_end))
        } else {
            let (head, body) = response.into_parts();
            (head, body, None)
        };
        headers::to_client(&mut head);
        if self.is_connect && switching {
            headers::to_extended_connect(&mut head);
        }
        if let Some(cookie) = self.asker.minted.take() {
            head.headers.append(header::SET_COOKIE, registry::header(&cookie));
        }
        if !self.asker.is_traffic()
            && let Some((revision, instance)) = exchange.served_by()
        {
            head.headers.insert(headers::REVISION, revision);
            head.headers.insert(headers::INSTANCE, instance);
        }
        if let (Some(near), Some(far)) = (upgrade, far_end) {
            exchange.answering(head.status.as_u16(), now, None);
            tunnel::open(&self.proxy, near, far, exchange);
            return Ok(Response::from_parts(head, ResponseBody::empty()));
        }
        exchange.answering(head.status.as_u16(), now, Some((sender, self.watch.clone())));
        Ok(Response::from_parts(head, ResponseBody::instance(body, exchange)))
    }

    fn refused(&mut self, status: u16, cause: Option<Cause>) {
        let now = Instant::now();
        if let Some(exchange) = self.exchange.take() {
            if self.fate() != Fate::Broken {
                exchange.refused(status, cause, now);
            }
            return;
        }
        self.proxy.unrouted.fetch_add(1, Relaxed);
        if let Some(record) = self.record.take() {
            record.unrouted(status, now);
        }
    }
}

/// A request that waits for its route to open.
struct Held {
    count: Arc<AtomicU32>,
    changed: watch::Receiver<u64>,
}

impl Held {
    fn enter(route: &LiveRoute, max: u32, changed: watch::Receiver<u64>) -> Option<Self> {
        let count = route.held.clone();
        count.fetch_update(SeqCst, SeqCst, |n| (n < max).then_some(n + 1)).ok()?;
        Some(Self { count, changed })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.count.fetch_sub(1, SeqCst);
    }
}
