//! From the errors of the rooms below to problems.

use axum::http::header;
use fundcycle_core::kinds::Malformed;
use fundcycle_core::names::Names as _;
use fundcycle_core::rejection::{Fault, Rejection, Text};
use fundcycle_store::list::ListError;
use fundcycle_store::{ExecuteError, StoreError};
use serde_json::Value;

use super::{Code, Details, Problem};
use crate::language::Language;

/// Seconds after which an overloaded service may be asked again.
const RETRY_AFTER: &str = "1";

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::NotFound => Self::not_found(),
            Rejection::Forbidden { verb, needed } => {
                let list = |name: fn(&fundcycle_core::actor::Role) -> &'static str,
                            between: &str| {
                    needed.iter().map(name).collect::<Vec<_>>().join(between)
                };
                Self::new(Code::Forbidden)
                    .detail(
                        format!("`{verb}` is for: {}.", list(|role| role.name(), ", ")),
                        format!("该操作仅限:{}。", list(|role| role.zh(), "、")),
                    )
                    .with(
                        "needed",
                        needed
                            .iter()
                            .map(|role| Value::from(role.name()))
                            .collect::<Vec<_>>(),
                    )
            }
            Rejection::NotFromHere {
                kind,
                stage,
                verb,
                allowed,
            } => {
                let stages = kind.stages();
                let zh = stages
                    .iter()
                    .find(|one| one.name == stage)
                    .map_or(stage.as_str(), |one| one.zh);
                Self::new(Code::NotFromHere)
                    .detail(
                        format!("Cannot {verb} this {kind}: it is {stage}."),
                        format!("该{}目前为“{zh}”,不能执行此操作。", kind.zh()),
                    )
                    .with("stage", stage.as_str())
                    .with("allowed", allowed)
            }
            Rejection::Shut { verb, gates } => {
                let say = |language: Language, between: &str| {
                    gates
                        .iter()
                        .map(|gate| language.of_text(&gate.message))
                        .collect::<Vec<_>>()
                        .join(between)
                };
                let mut problem = Self::new(Code::Shut).detail(
                    format!("Cannot {verb} yet: {}.", say(Language::En, "; ")),
                    format!("{}。", say(Language::Zh, ";")),
                );
                problem.0.gates = gates
                    .into_iter()
                    .map(|gate| (gate.gate, gate.message))
                    .collect();
                problem
            }
            Rejection::Invalid { faults } => Self::invalid(faults),
            Rejection::Consequence {
                verb,
                kind,
                id,
                because,
            } => consequence(&verb, kind, id, *because),
        }
    }
}

/// Keeps what the caller needs to know of the nested refusal, at this level.
fn consequence(
    verb: &str,
    kind: fundcycle_core::kinds::Kind,
    id: uuid::Uuid,
    because: Rejection,
) -> Problem {
    let inner = Problem::from(because);
    let fallback = inner.0.code.title();
    let why = inner.0.detail.as_ref().unwrap_or(&fallback);
    let detail = Text::new(
        format!("It would {verb} a {kind}, but: {}", why.en),
        format!("将对{}执行后续操作,但:{}", kind.zh(), why.zh),
    );
    let because = inner.0.code.name();
    let details = Details {
        code: Code::Consequence,
        detail: Some(detail),
        headers: Vec::new(),
        ..*inner.0
    };
    Problem(Box::new(details))
        .with("because", because)
        .with("kind", kind.name())
        .with("id", id.to_string())
        .with("verb", verb)
}

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Refused(rejection) => rejection.into(),
            ExecuteError::Stale { current } if current.is_empty() => Self::new(Code::Stale),
            ExecuteError::Stale { current } => Self::new(Code::Stale)
                .header(header::ETAG, &format!("\"{current}\""))
                .with("current", current),
            ExecuteError::MatchRequired => Self::new(Code::MatchRequired).detail(
                "Send `If-Match` with the entity tag of the version that you changed.",
                "请在 If-Match 中给出您所修改版本的实体标签。",
            ),
            ExecuteError::KeyReused => Self::new(Code::KeyReused),
            ExecuteError::Overloaded => Self::overloaded(),
            ExecuteError::UnknownOutcome => {
                tracing::error!("a commit was not confirmed");
                Self::new(Code::OutcomeUnknown).header(header::RETRY_AFTER, RETRY_AFTER)
            }
            ExecuteError::Halted => {
                tracing::error!(
                    "no commands are taken until a restart: a commit was not confirmed by the disk"
                );
                Self::overloaded()
            }
            ExecuteError::Store(error) => Self::of_store(&error),
        }
    }
}

impl Problem {
    /// Too much waits.
    pub(crate) fn overloaded() -> Self {
        Self::new(Code::Overloaded).header(header::RETRY_AFTER, RETRY_AFTER)
    }
}

impl Problem {
    fn of_store(error: &StoreError) -> Self {
        if error.is_passing() {
            tracing::error!(%error, "the database takes nothing just now");
            return Self::new(Code::Unavailable).header(header::RETRY_AFTER, RETRY_AFTER);
        }
        Self::internal(error)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::of_store(&error)
    }
}

impl From<ListError> for Problem {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Cursor(_) => Self::malformed(
                "/cursor",
                "cursor",
                "This cursor is not one of this list and order: begin without one.",
                "分页游标与此列表或排序不符,请从头开始。",
            ),
            ListError::Store(error) => error.into(),
        }
    }
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        let Malformed { path, message, .. } = malformed;
        Self::invalid(vec![Fault::new(
            path,
            "malformed",
            message.clone(),
            format!("无法识别:{message}"),
        )])
    }
}

#[cfg(test)]
mod tests {
    use fundcycle_core::actor::Role;
    use fundcycle_core::kinds::Kind;
    use fundcycle_core::rejection::ShutGate;
    use uuid::Uuid;

    use super::*;

    fn shut() -> Rejection {
        Rejection::Shut {
            verb: "submit".to_owned(),
            gates: vec![ShutGate {
                gate: "call_open".to_owned(),
                message: Text::new("the call is not open", "不在申报期内"),
            }],
        }
    }

    #[test]
    fn problems_read_as_published() {
        let refused = [
            Rejection::NotFound,
            Rejection::Forbidden {
                verb: "accept".to_owned(),
                needed: vec![Role::Staff, Role::Lead],
            },
            Rejection::NotFromHere {
                kind: Kind::Application,
                stage: "draft".to_owned(),
                verb: "accept".to_owned(),
                allowed: vec!["submit".to_owned()],
            },
            shut(),
            Rejection::fault("/form/title", "empty", "Give a title.", "请填写标题。"),
            Rejection::Consequence {
                verb: "submit".to_owned(),
                kind: Kind::Application,
                id: Uuid::nil(),
                because: Box::new(shut()),
            },
        ];
        let both: Vec<_> = refused
            .into_iter()
            .map(Problem::from)
            .map(|problem| [problem.to_json(Language::En), problem.to_json(Language::Zh)])
            .collect();
        insta::assert_json_snapshot!(both);
    }

    #[test]
    fn a_fault_of_ours_says_nothing_about_the_inside() {
        let problem = Problem::from(StoreError::Corrupt {
            what: "sheet".to_owned(),
            id: Uuid::max(),
            reason: "SELECT".to_owned(),
        });
        let body = problem.to_json(Language::En).to_string();
        assert!(
            !body.contains("sheet") && !body.contains("SELECT") && !body.contains("ffff"),
            "{body}"
        );
    }
}
