//! The OpenAPI 3.1 document, made from the routes as they are declared.

use super::route::{BodyDoc, Permission, Route};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tradewind_api::v1;
use utoipa::{PartialSchema, ToSchema, openapi};

type Components = BTreeMap<String, openapi::RefOr<openapi::Schema>>;

/// The schema of a type, and the named schemas it leans on.
#[derive(Clone)]
pub struct SchemaDoc {
    root: Value,
    parts: Vec<(String, openapi::RefOr<openapi::Schema>)>,
}

impl SchemaDoc {
    pub fn of<T: ToSchema>() -> Self {
        let mut parts = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut parts);
        Self { root: json!({ "$ref": format!("#/components/schemas/{}", T::name()) }), parts }
    }

    /// A page's own schema has no name: there would be one a kind of item.
    pub fn page_of<T: ToSchema>() -> Self {
        let Self { parts, .. } = Self::of::<T>();
        let root = serde_json::to_value(v1::Page::<T>::schema()).unwrap_or_default();
        Self { root, parts }
    }

    /// A schema without a type of ours.
    pub fn plain(root: Value) -> Self {
        Self { root, parts: Vec::new() }
    }
}

/// The whole document.
pub fn document(routes: &[Route]) -> Value {
    let mut components = Components::new();
    components.extend(SchemaDoc::of::<v1::Problem>().parts);
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in routes {
        let operation = operation(route, &mut components);
        paths.entry(route.path).or_default().insert(route.method.as_str().to_ascii_lowercase(), operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tradewind",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A release control plane: push, build, release, roll out, roll back.\n\nTimes are RFC 3339 in UTC. \
                Lists come in pages: pass `next` as `after`. A POST may carry an `Idempotency-Key`; sent again with the \
                same key it is done once and answered alike. Refusals are `application/problem+json` in the language of \
                `Accept-Language` (en, zh).",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "A token: `tw_…`." },
                "session": { "type": "apiKey", "in": "cookie", "name": "__Host-tradewind", "description": "A browser's session. Everything but GET also needs the header `X-CSRF-Token`." },
                "git": { "type": "http", "scheme": "basic", "description": "Any user name; the token is the password." },
            },
        },
    })
}

fn operation(route: &Route, components: &mut Components) -> Value {
    let doc = &route.doc;
    let mut out = Map::new();
    out.insert("operationId".into(), doc.id.into());
    out.insert("summary".into(), doc.summary.into());
    out.insert("tags".into(), json!([doc.tag]));
    out.insert("security".into(), security(route.permission));
    out.insert("x-permission".into(), route.permission.name().into());

    let in_path = params_of(route.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let in_query = doc.query.iter().map(|q| {
        json!({ "name": q.name, "in": "query", "required": q.required, "description": q.text, "schema": { "type": q.kind } })
    });
    let in_head = (route.method == http::Method::POST && doc.keyed).then(|| {
        json!({ "name": "Idempotency-Key", "in": "header", "required": false, "schema": { "type": "string", "maxLength": 128 } })
    });
    let parameters: Vec<_> = in_path.chain(in_query).chain(in_head).collect();
    if !parameters.is_empty() {
        out.insert("parameters".into(), parameters.into());
    }
    if let Some(body) = &doc.body {
        out.insert("requestBody".into(), json!({ "required": true, "content": content(body, components) }));
    }
    let mut responses = Map::new();
    let mut good = json!({ "description": doc.answer_text });
    if let Some(answer) = &doc.answer {
        good["content"] = content(answer, components);
    }
    responses.insert(doc.status.to_string(), good);
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    responses.insert(
        "default".into(),
        json!({ "description": "A refusal", "content": { "application/problem+json": { "schema": problem } } }),
    );
    out.insert("responses".into(), responses.into());
    out.into()
}

fn content(body: &BodyDoc, components: &mut Components) -> Value {
    components.extend(body.schema.parts.clone());
    json!({ body.media: { "schema": body.schema.root } })
}

fn security(permission: Permission) -> Value {
    match permission {
        Permission::Public => json!([]),
        Permission::Host => json!([{ "token": [] }]),
        Permission::Own | Permission::Known | Permission::May(_) => json!([{ "token": [] }, { "session": [] }]),
        Permission::Git(_) => json!([{ "git": [] }, { "token": [] }]),
    }
}

/// The names in a path's braces.
pub fn params_of(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}
