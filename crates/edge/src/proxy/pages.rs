//! The edge's own answers: a small page for browsers, a problem document for programs, in both languages.

use super::body::ResponseBody;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use std::sync::LazyLock;
use tradewind_model::fault::{Code, Fault, Lang};

struct Page {
    id: &'static str,
    html: Bytes,
    en: Bytes,
    zh: Bytes,
}

static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| {
    let json = |fault: &Fault, lang| Bytes::from(serde_json::to_vec(&fault.problem(lang)).unwrap_or_default());
    crate::faults::ALL
        .iter()
        .map(|code| {
            let fault = Fault::new(code);
            Page { id: code.id, html: html(&fault), en: json(&fault, Lang::En), zh: json(&fault, Lang::Zh) }
        })
        .collect()
});

/// What the client said about what it reads; kept, because the request itself is sent away.
pub struct Reader {
    accept: Option<HeaderValue>,
    language: Option<HeaderValue>,
}

impl Reader {
    pub fn of(headers: &HeaderMap) -> Self {
        Self { accept: headers.get(header::ACCEPT).cloned(), language: headers.get(header::ACCEPT_LANGUAGE).cloned() }
    }
}

/// `retry_after_s` becomes `Retry-After`.
pub fn answer(code: &'static Code, reader: &Reader, retry_after_s: Option<u32>) -> Response<ResponseBody> {
    fn text(value: &Option<HeaderValue>) -> &str {
        value.as_ref().and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
    let (body, kind) = match PAGES.iter().find(|p| p.id == code.id) {
        Some(page) if text(&reader.accept).contains("text/html") => (page.html.clone(), "text/html; charset=utf-8"),
        Some(page) => match Lang::parse(text(&reader.language)) {
            Lang::En => (page.en.clone(), "application/problem+json"),
            Lang::Zh => (page.zh.clone(), "application/problem+json"),
        },
        None => (Bytes::new(), "text/plain"),
    };
    let mut response = Response::new(ResponseBody::page(body));
    *response.status_mut() = StatusCode::from_u16(code.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = retry_after_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// For a certificate authority.
pub fn challenge(answer: Bytes) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::page(answer));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    response
}

fn html(fault: &Fault) -> Bytes {
    Bytes::from(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{status}</title>\n\
         <style>body{{font:16px/1.6 system-ui,sans-serif;max-width:34rem;margin:18vh auto 0;padding:0 1.5rem;color:#1d2733}}\
         h1{{font-size:1.25rem;margin:0 0 .25rem}}p{{margin:0 0 1.5rem;color:#51606f}}small{{color:#8795a3}}\
         @media(prefers-color-scheme:dark){{body{{background:#12181f;color:#e6edf3}}p{{color:#9fb0c0}}}}</style></head>\n\
         <body><h1>{en}</h1><p>{fix_en}.</p>\n<div lang=\"zh\"><h1>{zh}</h1><p>{fix_zh}。</p></div>\n\
         <small>{status} · {id}</small></body></html>\n",
        status = fault.code.status,
        en = escape(&capital(&fault.what(Lang::En))),
        zh = escape(&fault.what(Lang::Zh)),
        fix_en = escape(&capital(&fault.fix(Lang::En))),
        fix_zh = escape(&fault.fix(Lang::Zh)),
        id = fault.code.id,
    ))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().collect::<String>() + chars.as_str())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
