//! Problem details (RFC 9457): the one place where an error becomes an answer.
//!
//! A [`Problem`] travels inside the response; [`speak`] writes it out at the very end, when the
//! caller's language is known. What a body may not say (which record, which engine) is not in it.

mod code;
mod mapping;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use fundcycle_core::rejection::{Fault, Text};
use serde_json::{Map, Value, json};

pub(crate) use code::Code;

use crate::language::Language;

/// What a problem is sent as.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request is not answered as asked.
#[derive(Clone, Debug)]
pub(crate) struct Problem(Box<Details>);

/// What is known of it; boxed, as most requests have none.
#[derive(Clone, Debug)]
struct Details {
    code: Code,
    detail: Option<Text>,
    faults: Vec<Fault>,
    /// Members of this code only: stage, allowed moves, gates.
    more: Map<String, Value>,
    /// Sentences among the members, by name: spoken in the caller's language.
    gates: Vec<(String, Text)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem with nothing to add to its title.
    pub(crate) fn new(code: Code) -> Self {
        Self(Box::new(Details {
            code,
            detail: None,
            faults: Vec::new(),
            more: Map::new(),
            gates: Vec::new(),
            headers: Vec::new(),
        }))
    }

    /// Faults in the input, all of them.
    pub(crate) fn invalid(faults: Vec<Fault>) -> Self {
        Self::new(Code::Invalid).with_faults(faults)
    }

    /// One thing that cannot be read at all: query, header or the whole body.
    pub(crate) fn malformed(
        pointer: &str,
        code: &str,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) -> Self {
        Self::new(Code::Malformed).with_faults(vec![Fault::new(pointer, code, en, zh)])
    }

    /// Nothing there, or nothing that the caller may know of: the same answer for both (`visibility.md` F9).
    pub(crate) fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// A fault of ours. `why` goes to the log and never to the caller.
    pub(crate) fn internal(why: &dyn std::fmt::Display) -> Self {
        tracing::error!(why = %why, "internal error");
        Self::new(Code::Internal)
    }

    /// Says more than the title.
    pub(crate) fn detail(mut self, en: impl Into<String>, zh: impl Into<String>) -> Self {
        self.0.detail = Some(Text::new(en, zh));
        self
    }

    /// The same with these faults.
    pub(crate) fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.0.faults = faults;
        self
    }

    /// Adds a member.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.more.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a header, if its value can be sent.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.0
            .headers
            .extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// Which problem it is.
    pub(crate) const fn code(&self) -> Code {
        self.0.code
    }

    /// The body as sent.
    pub(crate) fn to_json(&self, language: Language) -> Value {
        let mut body = self.0.more.clone();
        body.insert(
            "type".to_owned(),
            format!("/problems/{}", self.0.code.name()).into(),
        );
        body.insert(
            "title".to_owned(),
            language.of_text(&self.0.code.title()).into(),
        );
        body.insert("status".to_owned(), self.0.code.status().as_u16().into());
        if let Some(detail) = &self.0.detail {
            body.insert("detail".to_owned(), language.of_text(detail).into());
        }
        if !self.0.faults.is_empty() {
            let faults = self.0.faults.iter().map(|fault| {
                json!({"pointer": fault.pointer, "code": fault.code, "message": language.of_text(&fault.message)})
            });
            body.insert("errors".to_owned(), faults.collect());
        }
        if !self.0.gates.is_empty() {
            let gates = self
                .0
                .gates
                .iter()
                .map(|(gate, text)| json!({"gate": gate, "message": language.of_text(text)}));
            body.insert("gates".to_owned(), gates.collect());
        }
        Value::Object(body)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.0.code.status();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes problems out in the caller's language, and makes problems of bare refusals by layers and routers.
pub(crate) async fn speak(request: Request, next: Next) -> Response {
    let language = Language::of(request.headers());
    let mut response = next.run(request).await;
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None => match Code::of_bare(response.status()) {
            Some(code) if !has_body_type(&response) => Problem::new(code),
            _ => return response,
        },
    };
    render(problem, language, response)
}

fn has_body_type(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| !value.as_bytes().starts_with(b"text/plain"))
}

fn render(problem: Problem, language: Language, response: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    let body = problem.to_json(language).to_string();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    parts.headers.insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_static(language.tag()),
    );
    parts
        .headers
        .insert(header::VARY, HeaderValue::from_static("accept-language"));
    if problem.0.code.status() == StatusCode::UNAUTHORIZED {
        parts
            .headers
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    parts.headers.extend(problem.0.headers);
    Response::from_parts(parts, Body::from(body))
}

/// What is answered when a handler panics; the panic itself is logged.
pub(crate) fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    Problem::internal(&format_args!("a handler panicked: {text}")).into_response()
}
