//! Reading bodies: JSON or nothing, within limits, checked against its schema with every fault located.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::http::{HeaderMap, header};
use fundcycle_core::rejection::Fault;
use jsonschema::ValidationError;
use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::{Map, Value, json};

use crate::problem::{Code, Problem};

/// Characters that any one text may have, where its schema does not allow less.
const LONGEST_TEXT: usize = 20_000;

/// A schema that bodies are checked against; compiled on first use.
#[derive(Debug)]
pub(crate) struct BodySchema {
    schema: Value,
    definitions: Arc<Map<String, Value>>,
    validator: OnceLock<Option<Validator>>,
}

impl BodySchema {
    /// A check against `schema`, which may refer to `definitions`.
    pub(crate) fn new(schema: Value, definitions: &Arc<Map<String, Value>>) -> Self {
        Self {
            schema,
            definitions: Arc::clone(definitions),
            validator: OnceLock::new(),
        }
    }

    /// The schema, for the documentation.
    pub(crate) const fn schema(&self) -> &Value {
        &self.schema
    }

    /// Everything in `body` that does not fit.
    pub(crate) fn faults(&self, body: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_texts(body, &mut String::new(), &mut faults);
        if let Some(validator) = self.validator.get_or_init(|| self.compile()) {
            for error in validator.iter_errors(body) {
                explain(&error, &mut faults);
            }
        }
        faults
    }

    fn compile(&self) -> Option<Validator> {
        let mut whole = self.schema.clone();
        let top = whole.as_object_mut()?;
        top.insert(
            "components".to_owned(),
            json!({"schemas": &*self.definitions}),
        );
        // Without any field of its own, the check would not say the name of the one too many.
        top.entry("properties").or_insert_with(|| json!({}));
        jsonschema::options()
            .should_validate_formats(true)
            .build(&whole)
            // What then happens is that the core's own reading reports one fault at a time.
            .inspect_err(|error| tracing::error!(%error, "a schema of ours cannot be compiled"))
            .ok()
    }
}

/// Reads a whole body of at most `limit` bytes.
///
/// # Errors
///
/// 413 where it is longer, 400 where it breaks off.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Vec<u8>, Problem> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    match axum::body::to_bytes(body, limit).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(error) if is_length_limit(&error) => Err(too_large(limit)),
        Err(_) => Err(Problem::malformed(
            "",
            "broken_off",
            "The body broke off.",
            "请求内容传输中断。",
        )),
    }
}

fn is_length_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error)
        .is_some_and(|source| source.to_string().contains("length limit"))
}

/// The refusal of more than `limit` bytes.
pub(crate) fn too_large(limit: usize) -> Problem {
    Problem::new(Code::TooLarge)
        .detail(
            format!("At most {limit} bytes are taken here."),
            format!("此处最多接受 {limit} 字节。"),
        )
        .with("limit", limit)
}

/// The JSON in `bytes`; an empty body is an empty object.
///
/// # Errors
///
/// 415 where it is called something else, 400 with the place where it is no JSON.
pub(crate) fn json(headers: &HeaderMap, bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!({}));
    }
    if !is_json(headers) {
        return Err(Problem::new(Code::UnsupportedMediaType).detail(
            "Send JSON with `Content-Type: application/json`.",
            "请以 application/json 发送 JSON。",
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        Problem::malformed(
            "",
            "malformed_json",
            format!("This is not JSON: {error}."),
            format!(
                "不是有效的 JSON:第 {} 行第 {} 列有误。",
                error.line(),
                error.column()
            ),
        )
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let named = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = named
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// What no text may be, whatever its schema: endless, or with a character that databases refuse.
fn check_texts(value: &Value, at: &mut String, faults: &mut Vec<Fault>) {
    let mut inside = |key: &str, value: &Value, faults: &mut Vec<Fault>| {
        let length = at.len();
        at.push('/');
        at.push_str(&escape(key));
        check_texts(value, at, faults);
        at.truncate(length);
    };
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                inside(&index.to_string(), item, faults);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                inside(key, member, faults);
            }
        }
        Value::String(text) => {
            if text.contains('\0') {
                faults.push(Fault::new(
                    at.as_str(),
                    "nul",
                    "Text has no NUL characters.",
                    "文本不得包含空字符。",
                ));
            }
            if text.len() > LONGEST_TEXT && text.chars().count() > LONGEST_TEXT {
                faults.push(too_long(at, LONGEST_TEXT as u64));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn too_long(at: &str, most: u64) -> Fault {
    Fault::new(
        at,
        "too_long",
        format!("At most {most} characters."),
        format!("最多 {most} 个字符。"),
    )
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// One fault of a schema check in words, or those inside it.
fn explain(error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
    use ValidationErrorKind as Kind;
    let at = error.instance_path().as_str();
    let mut fault = |code: &str, en: String, zh: String| faults.push(Fault::new(at, code, en, zh));
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                let pointer = format!("{at}/{}", escape(name));
                faults.push(Fault::new(
                    pointer,
                    "unknown_field",
                    format!("There is no field `{name}` here."),
                    format!("此处没有字段“{name}”。"),
                ));
            }
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let pointer = format!("{at}/{}", escape(name));
            faults.push(Fault::new(
                pointer,
                "required",
                format!("Give `{name}`."),
                format!("缺少“{name}”。"),
            ));
        }
        Kind::Type { kind } => {
            let wanted = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(some) => some
                    .iter()
                    .map(|one| one.to_string())
                    .collect::<Vec<_>>()
                    .join(" or "),
            };
            fault(
                "wrong_type",
                format!("This has to be: {wanted}."),
                format!("类型应为:{wanted}。"),
            );
        }
        Kind::MaxLength { limit } => faults.push(too_long(at, *limit)),
        Kind::MinLength { limit } => fault(
            "too_short",
            format!("At least {limit} characters."),
            format!("至少 {limit} 个字符。"),
        ),
        Kind::MaxItems { limit } => fault(
            "too_many",
            format!("At most {limit} items."),
            format!("最多 {limit} 项。"),
        ),
        Kind::MinItems { limit } => fault(
            "too_few",
            format!("At least {limit} items."),
            format!("至少 {limit} 项。"),
        ),
        Kind::Minimum { limit } => fault(
            "too_small",
            format!("At least {limit}."),
            format!("不得小于 {limit}。"),
        ),
        Kind::Maximum { limit } => fault(
            "too_great",
            format!("At most {limit}."),
            format!("不得大于 {limit}。"),
        ),
        Kind::Enum { options } => {
            let options = listed(options.as_array().into_iter().flatten());
            fault(
                "unknown_value",
                format!("One of: {options}."),
                format!("可选值:{options}。"),
            );
        }
        Kind::Format { format } => fault(
            "format",
            format!("This is not of the form `{format}`."),
            format!("格式应为 {format}。"),
        ),
        Kind::Pattern { pattern } => fault(
            "format",
            format!("This does not match `{pattern}`."),
            format!("应符合格式 {pattern}。"),
        ),
        Kind::UniqueItems => fault(
            "repeated",
            "No item may stand here twice.".to_owned(),
            "不得有重复项。".to_owned(),
        ),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => choose(context, at, faults),
        _ => fault("invalid", format!("{error}."), "此值无效。".to_owned()),
    }
}

/// Of the branches that all failed, the one that was probably meant: the one that fits furthest.
fn choose(branches: &[Vec<ValidationError<'static>>], at: &str, faults: &mut Vec<Fault>) {
    let constants = branches.iter().flatten().map(|error| match error.kind() {
        ValidationErrorKind::Constant { expected_value } => Some(&**expected_value),
        _ => None,
    });
    if let Some(options) = constants
        .collect::<Option<Vec<&Value>>>()
        .filter(|options| !options.is_empty())
    {
        let options = listed(options.into_iter());
        faults.push(Fault::new(
            at,
            "unknown_value",
            format!("One of: {options}."),
            format!("可选值:{options}。"),
        ));
        return;
    }
    let wrong_type_here = |errors: &[ValidationError<'static>]| {
        errors.iter().any(|error| {
            matches!(error.kind(), ValidationErrorKind::Type { .. })
                && error.instance_path().as_str() == at
        })
    };
    let meant = branches
        .iter()
        .min_by_key(|errors| (wrong_type_here(errors), errors.len()));
    for error in meant.into_iter().flatten() {
        explain(error, faults);
    }
}

fn listed<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    values
        .map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use fundcycle_core::kinds::Kind;
    use fundcycle_core::names::Names as _;

    use super::super::schema::Schemas;
    use super::*;

    fn check(kind: Kind, verb: &str, body: &Value) -> Vec<(String, String)> {
        let schemas = Schemas::new();
        let schema = BodySchema::new(schemas.body(kind, verb), schemas.definitions());
        schema
            .faults(body)
            .into_iter()
            .map(|fault| (fault.pointer, fault.code))
            .collect()
    }

    fn expected(faults: &[(&str, &str)]) -> Vec<(String, String)> {
        faults
            .iter()
            .map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned()))
            .collect()
    }

    #[test]
    fn a_field_too_many_is_named_also_where_there_is_none() {
        let found = check(Kind::Application, "discard", &json!({ "reason": "x" }));
        assert_eq!(found, expected(&[("/reason", "unknown_field")]));
    }

    #[test]
    fn every_fault_of_a_body_is_located_at_once() {
        let body = json!({
            "profile": {"name": "名".repeat(201), "uscc": 7, "organisation_kind": "guild", "colour": "red"},
            "extra": true,
        });
        let mut found = check(Kind::Organisation, "register", &body);
        found.sort();
        assert_eq!(
            found,
            expected(&[
                ("/extra", "unknown_field"),
                ("/profile/colour", "unknown_field"),
                ("/profile/name", "too_long"),
                ("/profile/organisation_kind", "unknown_value"),
                ("/profile/uscc", "wrong_type"),
            ])
        );
    }

    #[test]
    fn a_missing_field_is_named_where_it_should_stand() {
        assert_eq!(
            check(
                Kind::Organisation,
                "ban",
                &json!({"until": "2024-09-11T09:00:00+08:00"})
            ),
            expected(&[("/reason", "required")])
        );
    }

    #[test]
    fn texts_that_no_database_takes_are_refused() {
        let body = json!({"until": "2024-09-11T09:00:00+08:00", "reason": "a\0b"});
        assert_eq!(
            check(Kind::Organisation, "ban", &body),
            expected(&[("/reason", "nul")])
        );
        let body = json!({"until": "2024-09-11T09:00:00+08:00", "reason": "长".repeat(20_001)});
        assert_eq!(
            check(Kind::Organisation, "ban", &body),
            expected(&[("/reason", "too_long")])
        );
    }

    #[test]
    fn every_verb_of_every_kind_has_a_schema_that_compiles() {
        let schemas = Schemas::new();
        for &kind in Kind::ALL {
            for one in kind.moves() {
                let schema = BodySchema::new(schemas.body(kind, one.verb), schemas.definitions());
                assert!(schema.compile().is_some(), "{kind} {}", one.verb);
            }
        }
    }
}
