//! Documents of records: one operation for each that is declared, for whoever sees the record with the
//! eyes that the document is for.

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use fundcycle_core::kinds::State;
use fundcycle_core::names::Names as _;
use fundcycle_core::rejection::Text;
use fundcycle_core::world::World;
use fundcycle_documents::{
    DOCUMENTS, Document, Format, Language as Written, Paper, security_policy,
};
use serde_json::json;

use super::call::Call;
use super::disposition;
use super::kinds::{behind, id_in_path, query};
use super::operation::{Answered, Operation, Parameter, Place};
use crate::language::Language;
use crate::problem::{Code, Problem};

/// The operations.
pub(crate) fn operations() -> Vec<Operation> {
    DOCUMENTS.iter().map(operation).collect()
}

fn operation(document: &'static Document) -> Operation {
    let Document {
        name, kind, title, ..
    } = *document;
    let formats: Vec<&str> = document.formats.iter().map(|one| one.name()).collect();
    let accept = Parameter {
        name: "Accept",
        place: Place::Header,
        required: false,
        schema: json!({"type": "string"}),
        summary: "The media type that you want, where `format` names none.",
    };
    let mut operation = Operation::new(
        Method::GET,
        format!("/v1/{}/{{id}}/documents/{name}", kind.plural()),
        format!("{}.document.{name}", kind.name()),
        Text::new(
            format!("Document: {}", title.1),
            format!("文书:{}", title.0),
        ),
        move |call| print(call, document),
    )
    .roles(behind(document.eyes.iter().copied()))
    .parameters([
        id_in_path("id", "Of which record."),
        query("format", json!({"enum": formats}), "In which format."),
        query(
            "language",
            json!({"enum": ["zh-CN", "en"]}),
            "In which language; else the one of `Accept-Language`, else Chinese.",
        ),
        accept,
    ])
    .gives(
        StatusCode::OK,
        "The document; 404 while there is none, or none for you.",
        json!({"type": "string"}),
    )
    .problems([Code::Malformed, Code::NotFound, Code::NotAcceptable])
    .tag(kind.plural());
    let mut types = document.formats.iter().map(|one| one.media_type());
    operation.gives.media_type = types.next().unwrap_or_default();
    operation.gives.also = types.collect();
    operation
}

async fn print(call: Call, document: &'static Document) -> Answered {
    let (format, language) = (format(&call, document), language(&call));
    call.query.done()?;
    let state = call.visible(document.kind, call.id("id")?).await?;
    if !document.is_for(&call.viewer, &state) {
        return Err(Problem::not_found());
    }
    let paper = put_together(&call, document, &state, World::default(), language)
        .await?
        .ok_or_else(Problem::not_found)?;
    let format = format.ok_or_else(|| Problem::new(Code::NotAcceptable))?;
    let name = format!("{}.{}", document.title_in(language), format.name());
    // A large workbook takes long enough to hold others up.
    let bytes = tokio::task::spawn_blocking(move || paper.write(format))
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error| Problem::internal(&error))?;
    Ok(answer(bytes, format, language, &name))
}

/// What `document` says of `state` to the caller, on top of what is loaded in `world`; none where there is none for
/// them.
pub(super) async fn put_together(
    call: &Call,
    document: &Document,
    state: &State,
    mut world: World,
    language: Written,
) -> Result<Option<Paper>, Problem> {
    if !document.is_for(&call.viewer, state) {
        return Ok(None);
    }
    world.put(state.clone());
    loop {
        let missing = document.missing(&call.viewer, state, &world);
        if missing.is_empty() {
            return Ok(document.paper(&call.viewer, state, &world, language));
        }
        let store = &call.app.store;
        store
            .load_needs(state.journal(), missing, &mut world)
            .await?;
    }
}

fn answer(bytes: Vec<u8>, format: Format, language: Written, name: &str) -> Response {
    let charset = match format {
        Format::Xlsx | Format::Json => "",
        Format::Html | Format::Csv | Format::Ics => "; charset=utf-8",
    };
    let mut headers: Vec<(HeaderName, String)> = vec![
        (
            header::CONTENT_TYPE,
            format!("{}{charset}", format.media_type()),
        ),
        (header::CONTENT_LANGUAGE, language.tag().to_owned()),
        (header::VARY, "accept, accept-language".to_owned()),
    ];
    if format == Format::Html {
        headers.push((header::CONTENT_DISPOSITION, disposition::shown(name)));
        headers.push((header::CONTENT_SECURITY_POLICY, security_policy()));
    } else {
        headers.push((header::CONTENT_DISPOSITION, disposition::saved(name)));
    }
    let mut response = bytes.into_response();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The format asked for by name, else by media type; none where no format of the document will do.
fn format(call: &Call, document: &Document) -> Option<Format> {
    let has = |one: &Format| document.formats.contains(one);
    if let Some(name) = call.query.text("format") {
        let named = Format::ALL.iter().copied().find(|one| one.name() == name);
        let found = named.filter(has);
        if found.is_none() {
            let formats: Vec<&str> = document.formats.iter().map(|one| one.name()).collect();
            let formats = formats.join(", ");
            call.query.fault(
                "format",
                format!("This document can be had as {formats}."),
                format!("此文书可用格式:{formats}。"),
            );
        }
        return found;
    }
    let accepted = call
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("*/*");
    best(accepted, document.formats)
}

/// The first of `formats` that is accepted with the highest quality (RFC 9110 §12.5.1).
fn best(accepted: &str, formats: &[Format]) -> Option<Format> {
    let quality = |format: Format| -> f32 {
        let wanted = format.media_type();
        let main = wanted.split('/').next().unwrap_or_default();
        let mut found: (u8, f32) = (0, 0.0);
        for range in accepted.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let exactness = match name.strip_suffix("/*") {
                _ if name == wanted => 3,
                Some(one) if one == main => 2,
                Some("*") => 1,
                _ => continue,
            };
            let quality = parts
                .find_map(|part| part.strip_prefix("q=")?.parse().ok())
                .unwrap_or(1.0);
            if exactness > found.0 {
                found = (exactness, quality);
            }
        }
        found.1
    };
    let mut chosen: Option<(Format, f32)> = None;
    for format in formats {
        let quality = quality(*format);
        if quality > chosen.map_or(0.0, |(_, most)| most) {
            chosen = Some((*format, quality));
        }
    }
    chosen.map(|(format, _)| format)
}

fn language(call: &Call) -> Written {
    match call.query.text("language") {
        Some("zh-CN") => Written::Zh,
        Some("en") => Written::En,
        Some(_) => {
            call.query.fault(
                "language",
                "This has to be zh-CN or en.",
                "此参数应为 zh-CN 或 en。",
            );
            Written::default()
        }
        None => match Language::asked(&call.headers) {
            Some(Language::En) => Written::En,
            Some(Language::Zh) | None => Written::Zh,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_that_is_liked_best_is_given() {
        const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        for (accepted, given) in [
            ("*/*", Some(Format::Html)),
            (
                "text/html,application/xhtml+xml,*/*;q=0.8",
                Some(Format::Html),
            ),
            (XLSX, Some(Format::Xlsx)),
            ("text/*;q=0.5, text/csv", Some(Format::Csv)),
            ("text/html;q=0, */*;q=0.1", Some(Format::Xlsx)),
            ("application/json", Some(Format::Json)),
            ("image/png", None),
            ("", None),
        ] {
            assert_eq!(best(accepted, Format::ALL), given, "{accepted}");
        }
    }

    #[test]
    fn no_two_documents_of_a_kind_share_a_name_and_all_stages_exist() {
        let mut seen = std::collections::BTreeSet::new();
        for document in DOCUMENTS {
            assert!(seen.insert((document.kind, document.name)));
            let stages = document.kind.stages();
            for stage in document.stages {
                assert!(
                    stages.iter().any(|one| one.name == *stage),
                    "{} {stage}",
                    document.name
                );
            }
        }
    }
}
