//! Files of applications and of objections: in and out by streaming, their type found from their content.

use std::time::Duration;

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use fundcycle_core::actor::Role;
use fundcycle_core::attachment;
use fundcycle_core::kinds::{Command, Kind, State};
use fundcycle_core::rejection::Text;
use fundcycle_store::ExecuteError;
use serde_json::{Map, Value, json};

use super::body::too_large;
use super::call::Call;
use super::command::{self, Sending, idempotency_key, new_id, precondition, render};
use super::disposition;
use super::kinds::{id_in_path, writing};
use super::operation::{Answered, Carries, Operation, Parameter, Place};
use super::schema::{record_name, reference};
use crate::files::{Incoming, Refused};
use crate::problem::{Code, Problem};

/// Time that a file may take on its way.
const TRANSFER: Duration = Duration::from_mins(10);

/// What is taken, by the type found in the content.
const TAKEN: &[&str] = &[
    "application/pdf",
    "image/png",
    "image/jpeg",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/msword",
    "application/vnd.ms-excel",
    "text/plain",
];

/// The operations.
pub(crate) fn operations() -> Vec<Operation> {
    let name = Parameter {
        name: "name",
        place: Place::Query,
        required: true,
        schema: json!({"type": "string", "maxLength": 200}),
        summary: "What you call the file.",
    };
    let to_application = Operation::new(
        Method::POST,
        "/v1/applications/{id}/attachments",
        "attachment.upload",
        Text::new(
            "Add a file: send its bytes as the body",
            "附件:上传(请求体为文件内容)",
        ),
        |call| upload(call, Kind::Application),
    )
    .roles([Role::Applicant, Role::Owner])
    .parameters([id_in_path("id", "Which application."), name.clone()]);
    let to_objection = Operation::new(
        Method::POST,
        "/v1/objections/{id}/attachments",
        "attachment.keep",
        Text::new(
            "Keep a paper that came with an objection: send its bytes as the body",
            "附件:留存异议材料(请求体为文件内容)",
        ),
        |call| upload(call, Kind::Objection),
    )
    .roles([Role::Staff])
    .parameters([id_in_path("id", "Which objection."), name]);
    let [to_application, to_objection] = [to_application, to_objection].map(takes_a_file);
    let mut download = Operation::new(
        Method::GET,
        "/v1/attachments/{id}/content",
        "attachment.content",
        Text::new("The bytes of a file", "附件:下载"),
        download,
    )
    .roles([
        Role::Applicant,
        Role::Owner,
        Role::Holder,
        Role::Staff,
        Role::Lead,
        Role::Finance,
        Role::Auditor,
    ])
    .parameters([id_in_path("id", "Which file.")])
    .gives(
        StatusCode::OK,
        "The bytes, with their hash as `Repr-Digest` (RFC 9530).",
        json!({"type": "string", "format": "binary"}),
    )
    .problems([Code::NotFound])
    .tag(Kind::Attachment.plural());
    // Whatever was found in its content when it was taken.
    download.gives.media_type = "*/*";
    download.within = TRANSFER;
    vec![to_application, to_objection, download]
}

/// What every address has in common that takes the bytes of a file.
fn takes_a_file(operation: Operation) -> Operation {
    let mut operation = operation
        .parameters(writing())
        .gives(
            StatusCode::CREATED,
            "The file; `Location` says where.",
            reference(&record_name(Kind::Attachment)),
        )
        .problems([
            Code::Malformed,
            Code::Forbidden,
            Code::NotFound,
            Code::TooLarge,
            Code::UnsupportedMediaType,
            Code::Invalid,
            Code::KeyReused,
        ])
        .tag(Kind::Attachment.plural());
    operation.carries = Carries::File;
    operation.within = TRANSFER;
    operation
}

async fn upload(mut call: Call, owner: Kind) -> Answered {
    let owner = call.visible(owner, call.id("id")?).await?;
    // Before any byte is taken: who may never add a file sends none.
    call.require_one_of(&owner.roles_of(&call.viewer.actor))?;
    let name = call.query.text("name").unwrap_or_default().to_owned();
    if name.is_empty() {
        call.query
            .fault("name", "Say what the file is called.", "请注明文件名。");
    }
    call.query.is_on("dry_run");
    call.query.done()?;
    let most = call.app.limits.upload;
    let announced = call
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(too_large(most));
    }
    let body = call.take_body();
    let incoming = call
        .app
        .files
        .take_in(body, most)
        .await
        .map_err(|refused| match refused {
            Refused::TooLarge => too_large(most),
            Refused::BrokenOff => {
                Problem::malformed("", "broken_off", "The file broke off.", "文件传输中断。")
            }
            Refused::Failed(error) => Problem::internal(&error),
        })?;
    let outcome = keep(&call, &owner, name, &incoming).await;
    call.app.files.discard(&incoming).await;
    outcome
}

async fn keep(call: &Call, owner: &State, name: String, incoming: &Incoming) -> Answered {
    let media_type = media_type(&incoming.head)?;
    let Incoming { size, sha256, .. } = incoming.clone();
    let idempotency = idempotency_key(call, &json!([name, sha256]), None)?;
    let id = new_id(Kind::Attachment, idempotency.as_ref());
    let media_type = media_type.to_owned();
    let command = if owner.kind() == Kind::Objection {
        attachment::Command::Keep {
            objection: owner.id(),
            name,
            media_type,
            size,
            sha256,
        }
    } else {
        attachment::Command::Upload {
            application: owner.id(),
            name,
            media_type,
            size,
            sha256,
        }
    };
    let sending = Sending {
        journal: owner.journal(),
        id,
        command: Command::Attachment(command),
        precondition: precondition(&call.headers, false)?,
        idempotency,
    };
    if call.query.is_on("dry_run") {
        let tried = command::send(call, sending).await?;
        return Ok(render(call, Kind::Attachment, &tried, StatusCode::OK));
    }
    call.app
        .files
        .keep(incoming, id)
        .await
        .map_err(|error| Problem::internal(&error))?;
    let sent = call
        .app
        .store
        .execute(command::submission(call, sending, false))
        .await;
    if matches!(&sent, Err(error) if !matches!(error, ExecuteError::UnknownOutcome))
        && call
            .app
            .store
            .read_one(Some(Kind::Attachment), id)
            .await?
            .is_none()
    {
        call.app.files.remove_kept(id, &incoming.sha256).await;
    }
    Ok(render(call, Kind::Attachment, &sent?, StatusCode::CREATED))
}

/// The type of a file by its first bytes, if it is one that is taken.
fn media_type(head: &[u8]) -> Result<&'static str, Problem> {
    let found = match infer::get(head) {
        Some(kind) => kind.mime_type(),
        None if is_text(head) => "text/plain",
        None => "application/octet-stream",
    };
    TAKEN.iter().copied().find(|taken| *taken == found).ok_or_else(|| {
        Problem::new(Code::UnsupportedMediaType)
            .detail(
                format!("The content of this file is {found}; taken are PDF, PNG, JPEG, Word, Excel and plain text."),
                format!("文件内容类型为 {found};仅接受 PDF、PNG、JPEG、Word、Excel 和纯文本。"),
            )
            .with("found", found)
    })
}

/// UTF-8 without control characters; the last character may be cut.
fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(head.get(..error.valid_up_to()).unwrap_or_default())
                .unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.is_empty()
        && !valid
            .chars()
            .any(|one| one.is_control() && !matches!(one, '\n' | '\r' | '\t'))
}

async fn download(call: Call) -> Answered {
    let id = call.id("id")?;
    let state = call.visible(Kind::Attachment, id).await?;
    // The bytes and what a program wrote into them say who applies: blind rounds do without.
    if call.viewer.is_blinded(&state) {
        return Err(Problem::not_found());
    }
    let view = call.viewer.view(&state).ok_or_else(Problem::not_found)?;
    let field = |name: &str| text(&view, name).ok_or_else(Problem::not_found);
    let (name, media_type, sha256) = (field("name")?, field("media_type")?, field("sha256")?);
    let body = call.app.files.read(id, sha256).await?;
    let mut response = Response::new(body);
    let digest = HEXLOWER_PERMISSIVE
        .decode(sha256.as_bytes())
        .map(|digest| format!("sha-256=:{}:", BASE64.encode(&digest)));
    let headers = [
        (header::CONTENT_TYPE, Some(media_type.to_owned())),
        (
            header::CONTENT_LENGTH,
            view.get("size")
                .and_then(Value::as_u64)
                .map(|size| size.to_string()),
        ),
        (header::CONTENT_DISPOSITION, Some(disposition::saved(name))),
        (header::HeaderName::from_static("repr-digest"), digest.ok()),
    ];
    for (name, value) in headers {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response.into_response())
}

fn text<'a>(view: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    view.get(name)?.as_str()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_content_says_what_a_file_is() {
        let taken: [(&[u8], &str); 4] = [
            (b"%PDF-1.7\n", "application/pdf"),
            (b"\x89PNG\r\n\x1a\n", "image/png"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            ("预算说明\n".as_bytes(), "text/plain"),
        ];
        for (head, expected) in taken {
            assert_eq!(media_type(head).unwrap(), expected);
        }
        let refused: [&[u8]; 6] = [
            b"MZ\x90\0\x03",
            b"<!DOCTYPE html><script>",
            b"PK\x03\x04whatever",
            b"\x7fELF",
            b"",
            b"a\x01b",
        ];
        for head in refused {
            assert_eq!(
                media_type(head).unwrap_err().code(),
                Code::UnsupportedMediaType,
                "{head:?}"
            );
        }
    }

    #[test]
    fn text_cut_inside_a_character_is_text() {
        let bytes = "公益创投".as_bytes();
        assert!(is_text(&bytes[..bytes.len() - 1]));
        assert!(!is_text(b"\xff\xfe\x00"));
    }
}
