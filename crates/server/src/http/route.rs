//! Routes are declared with their permission and their documentation; the router and the OpenAPI document are both made
//! from the declarations, so neither can know a route the other does not.

use super::openapi::SchemaDoc;
use crate::App;
use axum::{
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};
use http::Method;
use serde_json::json;
use std::{collections::BTreeSet, fmt};
use tradewind_model::access::Action;
use utoipa::ToSchema;

/// Who may. There is no default: a [`Route`] cannot be made without one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permission {
    /// Anyone who reaches the server.
    Public,
    /// A host, with its key.
    Host,
    /// Anybody who is known, for their own account: also before a second factor is there that a policy asks for.
    Own,
    /// Anybody who is known; the use case says what each may see and do.
    Known,
    /// Whoever has the right, on what the path names.
    May(Action),
    /// The same for git, which sends a token as a Basic password.
    Git(Action),
}

impl Permission {
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Host => "host",
            Self::Own => "own",
            Self::Known => "known",
            Self::May(action) | Self::Git(action) => action.as_str(),
        }
    }
}

/// The parts of a path that say what a request is about, so that rights are checked before its handler runs.
pub const LOCATED: [&str; 4] = ["service", "rollout", "run", "repository"];
/// Parts whose use cases check rights themselves, by what the id leads to.
const CHECKED_WITHIN: [&str; 15] = [
    "digest",
    "secret",
    "env",
    "release",
    "job",
    "freeze",
    "host",
    "token",
    "user",
    "group",
    "member",
    "grant",
    "invitation",
    "session",
    "code",
];

/// What may be read of a body, and what is done with a repeated request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// Small JSON in, JSON out.
    Json,
    /// As [`Self::Json`], and the answer holds a secret: it is never stored for a repeated request.
    Secret,
    /// Bytes in or out, as long as they come: no limit, no buffer, no time-out.
    Stream,
}

pub struct Route {
    pub method: Method,
    /// The whole path, with axum's `{…}`.
    pub path: &'static str,
    pub permission: Permission,
    pub manner: Manner,
    /// A way back: may draw on the room set aside on a full disk.
    pub urgent: bool,
    pub doc: Doc,
    pub(crate) handler: MethodRouter<App>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.method, self.path, self.permission.name())
    }
}

pub struct Doc {
    pub id: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    pub query: Vec<QueryDoc>,
    pub body: Option<BodyDoc>,
    pub answer: Option<BodyDoc>,
    pub answer_text: &'static str,
    pub status: u16,
    pub keyed: bool,
}

pub struct QueryDoc {
    pub name: &'static str,
    pub kind: &'static str,
    pub required: bool,
    pub text: &'static str,
}

pub struct BodyDoc {
    pub media: &'static str,
    pub schema: SchemaDoc,
}

impl Route {
    fn new<H, T>(method: Method, path: &'static str, permission: Permission, id: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("a standard method");
        let doc = Doc {
            id,
            tag: "",
            summary: "",
            query: Vec::new(),
            body: None,
            answer: None,
            answer_text: "Done",
            status: 200,
            keyed: true,
        };
        Self { method, path, permission, manner: Manner::Json, urgent: false, doc, handler: on(filter, handler) }
    }

    /// `id` is the operation's name in generated clients.
    pub fn get<H: Handler<T, App>, T: 'static>(
        path: &'static str,
        permission: Permission,
        id: &'static str,
        handler: H,
    ) -> Self {
        Self::new(Method::GET, path, permission, id, handler)
    }

    pub fn post<H: Handler<T, App>, T: 'static>(
        path: &'static str,
        permission: Permission,
        id: &'static str,
        handler: H,
    ) -> Self {
        Self::new(Method::POST, path, permission, id, handler)
    }

    pub fn put<H: Handler<T, App>, T: 'static>(
        path: &'static str,
        permission: Permission,
        id: &'static str,
        handler: H,
    ) -> Self {
        Self::new(Method::PUT, path, permission, id, handler)
    }

    pub fn delete<H: Handler<T, App>, T: 'static>(
        path: &'static str,
        permission: Permission,
        id: &'static str,
        handler: H,
    ) -> Self {
        Self::new(Method::DELETE, path, permission, id, handler)
    }

    pub fn about(mut self, tag: &'static str, summary: &'static str) -> Self {
        self.doc.tag = tag;
        self.doc.summary = summary;
        self
    }

    /// `kind` is `string`, `integer` or `boolean`.
    pub fn query(mut self, name: &'static str, kind: &'static str, text: &'static str) -> Self {
        self.doc.query.push(QueryDoc { name, kind, required: false, text });
        self
    }

    /// Why, for the event log.
    pub fn says_why(self) -> Self {
        self.query("reason", "string", "Why; it goes into the event log")
    }

    pub fn required_query(mut self, name: &'static str, kind: &'static str, text: &'static str) -> Self {
        self.doc.query.push(QueryDoc { name, kind, required: true, text });
        self
    }

    pub fn body<T: ToSchema>(mut self) -> Self {
        self.doc.body = Some(BodyDoc { media: "application/json", schema: SchemaDoc::of::<T>() });
        self
    }

    pub fn answers<T: ToSchema>(mut self) -> Self {
        self.doc.answer = Some(BodyDoc { media: "application/json", schema: SchemaDoc::of::<T>() });
        self
    }

    pub fn answers_page_of<T: ToSchema>(mut self) -> Self {
        self.doc.answer = Some(BodyDoc { media: "application/json", schema: SchemaDoc::page_of::<T>() });
        self.query("after", "string", "The `next` of the page before").query(
            "limit",
            "integer",
            "Items a page: 1 to 200, 50 when left out",
        )
    }

    /// A list that was always given whole, and is a page at a time for who asks for that.
    pub fn answers_all_or_page_of<T: ToSchema>(mut self) -> Self {
        self.doc.answer = Some(BodyDoc { media: "application/json", schema: SchemaDoc::page_of::<T>() });
        self.query("after", "string", "The `next` of the page before").query(
            "limit",
            "integer",
            "Items a page: 1 to 200, all when left out",
        )
    }

    /// Server-sent events whose data is `T`. `event: end` says that nothing more will come.
    pub fn streams<T: ToSchema>(mut self) -> Self {
        self.manner = Manner::Stream;
        self.doc.answer = Some(BodyDoc { media: "text/event-stream", schema: SchemaDoc::of::<T>() });
        self
    }

    pub fn takes_bytes(mut self, media: &'static str) -> Self {
        self.manner = Manner::Stream;
        self.doc.keyed = false;
        self.doc.body = Some(BodyDoc { media, schema: SchemaDoc::plain(json!({})) });
        self
    }

    pub fn gives_bytes(mut self, media: &'static str) -> Self {
        self.manner = Manner::Stream;
        self.doc.answer = Some(BodyDoc { media, schema: SchemaDoc::plain(json!({})) });
        self
    }

    pub fn gives_text(mut self, media: &'static str) -> Self {
        self.doc.answer = Some(BodyDoc { media, schema: SchemaDoc::plain(json!({ "type": "string" })) });
        self
    }

    pub fn gives_json(mut self, schema: serde_json::Value) -> Self {
        self.doc.answer = Some(BodyDoc { media: "application/json", schema: SchemaDoc::plain(schema) });
        self
    }

    pub fn status(mut self, status: u16, text: &'static str) -> Self {
        self.doc.status = status;
        self.doc.answer_text = text;
        self
    }

    pub fn urgent(mut self) -> Self {
        self.urgent = true;
        self
    }

    pub fn secret(mut self) -> Self {
        self.manner = Manner::Secret;
        self
    }
}

/// A declaration that cannot be served.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadRoute {
    #[error("{0} is declared twice")]
    Twice(String),
    #[error("the operation id `{0}` is declared twice")]
    SameId(&'static str),
    #[error("{0} has no tag or no summary")]
    Undocumented(String),
    #[error("{0} changes something and is public")]
    OpenToAll(String),
    #[error("{route}: nobody says whose `{part}` is")]
    UnknownPart { route: String, part: String },
}

/// Public routes that change something, each with a guard of its own.
const PUBLIC_WRITES: [&str; 6] = [
    "/api/v1/login",
    "/api/v1/sign-in",
    "/api/v1/session",
    "/api/v1/session/enter",
    "/api/v1/invitations/accept",
    "/hooks/{hook}",
];

/// What keeps the declarations from being served; the server does not start with any.
pub fn check(routes: &[Route]) -> Result<(), BadRoute> {
    let mut places = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for r in routes {
        let name = format!("{} {}", r.method, r.path);
        if r.doc.tag.is_empty() || r.doc.summary.is_empty() {
            return Err(BadRoute::Undocumented(name));
        }
        if r.permission == Permission::Public && r.method != Method::GET && !PUBLIC_WRITES.contains(&r.path) {
            return Err(BadRoute::OpenToAll(name));
        }
        let known = |part: &&str| LOCATED.contains(part) || CHECKED_WITHIN.contains(part);
        if !matches!(r.permission, Permission::Host | Permission::Public)
            && let Some(part) = super::openapi::params_of(r.path).find(|p| !known(p))
        {
            return Err(BadRoute::UnknownPart { route: name, part: part.to_owned() });
        }
        if !ids.insert(r.doc.id) {
            return Err(BadRoute::SameId(r.doc.id));
        }
        if !places.insert((r.method.to_string(), r.path)) {
            return Err(BadRoute::Twice(name));
        }
    }
    Ok(())
}
