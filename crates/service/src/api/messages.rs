//! The words of a cycle's messages: those that come with the product, and its own in their place.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::IntoResponse as _;
use fundcycle_core::actor::Role;
use fundcycle_core::rejection::{Fault, Text};
use fundcycle_core::time::Timestamp;
use fundcycle_notify::routes::topics;
use fundcycle_notify::template::{LOCALES, Rendered, Templates, Words};
use fundcycle_store::wording::Wording;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body::BodySchema;
use super::call::Call;
use super::kinds::id_in_path;
use super::operation::{Answered, Operation, Parameter, Place};
use super::record::json_response;
use super::schema::{Schemas, plain};
use crate::problem::{Code, Problem};

/// The words of a message, as minijinja templates.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Own {
    /// The title, in one line.
    #[schemars(length(min = 1, max = 200))]
    title: String,
    /// The text.
    #[schemars(length(min = 1, max = 4000))]
    text: String,
}

/// The operations.
pub(crate) fn operations(schemas: &Schemas) -> Vec<Operation> {
    let body = || Arc::new(BodySchema::new(plain::<Own>(), schemas.definitions()));
    let names: Vec<&str> = LOCALES.iter().map(|(name, _)| *name).collect();
    let of = || {
        let parameter = |name, schema, summary| Parameter {
            name,
            place: Place::Path,
            required: true,
            schema,
            summary,
        };
        [
            id_in_path("cycle", "Of which cycle."),
            parameter(
                "locale",
                json!({"type": "string", "enum": names}),
                "In which language.",
            ),
            parameter(
                "topic",
                json!({"type": "string"}),
                "Which kind of message, such as `application.accept`.",
            ),
        ]
    };
    let one = "/v1/cycles/{cycle}/wordings/{locale}/{topic}";
    vec![
        Operation::new(
            Method::GET,
            "/v1/cycles/{cycle}/wordings",
            "wordings",
            Text::new(
                "The words of every message of a cycle, and what they look like with sample data",
                "消息模板",
            ),
            list,
        )
        .roles([Role::Staff, Role::Lead, Role::Auditor])
        .parameters([id_in_path("cycle", "Of which cycle.")])
        .problems([Code::Forbidden, Code::NotFound])
        .tag("wordings"),
        Operation::new(
            Method::PUT,
            one,
            "wordings.set",
            Text::new(
                "Give a cycle its own words for a message; refused where they do not work with sample data",
                "修改本届消息模板",
            ),
            |call| set(call, true),
        )
        .roles([Role::Staff, Role::Lead])
        .parameters(of())
        .takes(body())
        .problems([Code::Malformed, Code::Forbidden, Code::NotFound])
        .tag("wordings"),
        Operation::new(
            Method::POST,
            format!("{one}/preview"),
            "wordings.preview",
            Text::new(
                "What a message would look like in these words, with sample data",
                "预览消息模板",
            ),
            |call| set(call, false),
        )
        .roles([Role::Staff, Role::Lead])
        .parameters(of())
        .takes(body())
        .problems([Code::Malformed, Code::Forbidden, Code::NotFound])
        .tag("wordings"),
        Operation::new(
            Method::DELETE,
            one,
            "wordings.drop",
            Text::new(
                "Go back to the words that come with the product",
                "恢复默认消息模板",
            ),
            drop_own,
        )
        .roles([Role::Staff, Role::Lead])
        .parameters(of())
        .gives(StatusCode::NO_CONTENT, "They are used from now on.", None)
        .problems([Code::Forbidden, Code::NotFound])
        .tag("wordings"),
    ]
}

fn templates() -> Result<Templates, Problem> {
    Templates::built_in().map_err(|error| Problem::internal(&error))
}

/// The cycle, language and topic in the path; what there is not does not exist.
async fn named(call: &Call) -> Result<(Uuid, &'static str, String), Problem> {
    let cycle = call.cycle().await?;
    call.require_role(Some(cycle))?;
    let part = |name: &str| call.path.get(name).cloned().unwrap_or_default();
    let (locale, topic) = (part("locale"), part("topic"));
    let locale = LOCALES.iter().find(|(name, _)| *name == locale);
    let topic = topics().find(|known| *known == topic);
    locale
        .zip(topic)
        .map(|((locale, _), topic)| (cycle, *locale, topic))
        .ok_or_else(Problem::not_found)
}

async fn list(call: Call) -> Answered {
    let cycle = call.cycle().await?;
    call.require_role(Some(cycle))?;
    let (own, templates) = (call.app.store.wordings(cycle).await?, templates()?);
    let mut items = Vec::new();
    for topic in topics() {
        for (locale, _) in LOCALES {
            let mine = own
                .iter()
                .find(|one| one.topic == topic && one.locale == *locale);
            let words = mine.map(|one| Words {
                title: one.title.clone(),
                text: one.text.clone(),
            });
            let built_in = templates.words(&topic, locale).cloned();
            let Some(words) = words.or(built_in) else {
                continue;
            };
            let sample = templates.sample(&topic);
            let tried = templates.fill(&topic, locale, &words, &sample);
            items.push(json!({
                "topic": topic, "locale": locale, "own": mine.is_some(), "title": words.title, "text": words.text,
                "changed_by": mine.map(|one| one.changed_by), "changed_at": mine.map(|one| Timestamp(one.changed_at)),
                "preview": tried.ok().map(|seen| shown(&seen)), "variables": sample,
            }));
        }
    }
    Ok(json_response(StatusCode::OK, &json!({"items": items})))
}

fn shown(rendered: &Rendered) -> Value {
    json!({"title": rendered.title, "text": rendered.text})
}

/// What these words look like; every fault of theirs where they do not work.
fn tried(topic: &str, locale: &str, own: &Own) -> Result<Rendered, Problem> {
    let templates = templates()?;
    let data = templates.sample(topic);
    let mut faults = Vec::new();
    for (name, text) in [("title", &own.title), ("text", &own.text)] {
        let alone = Words {
            title: text.clone(),
            text: String::new(),
        };
        if let Err(error) = templates.fill(topic, locale, &alone, &data) {
            let known: Vec<&str> = data.keys().map(String::as_str).collect();
            let (known, cause) = (known.join(", "), explained(&error));
            faults.push(Fault::new(
                format!("/{name}"),
                "template",
                format!("It cannot be filled in: {cause}. There is: {known}."),
                format!("模板无法填充:{cause}。可用变量:{known}。"),
            ));
        }
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let words = Words {
        title: own.title.clone(),
        text: own.text.clone(),
    };
    let rendered = templates.fill(topic, locale, &words, &data);
    rendered.map_err(|error| Problem::internal(&error))
}

/// An error with what caused it.
fn explained(error: &dyn std::error::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

async fn set(mut call: Call, keep: bool) -> Answered {
    let (cycle, locale, topic) = named(&call).await?;
    let own: Own = call.checked_json().await?;
    let rendered = tried(&topic, locale, &own)?;
    if keep {
        let by = call.viewer.actor.account;
        let wording = Wording {
            locale: locale.to_owned(),
            topic: topic.clone(),
            title: own.title,
            text: own.text,
            changed_by: by.ok_or_else(|| Problem::new(Code::Unauthenticated))?,
            changed_at: call.app.clock.now().0,
        };
        call.app.store.set_wording(cycle, &wording).await?;
    }
    let body = json!({"topic": topic, "locale": locale, "preview": shown(&rendered)});
    Ok(json_response(StatusCode::OK, &body))
}

async fn drop_own(call: Call) -> Answered {
    let (cycle, locale, topic) = named(&call).await?;
    if call.app.store.drop_wording(cycle, locale, &topic).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Problem::not_found())
    }
}
