//! What a token for a program may be used for. It narrows what its account may do and never widens it:
//! which operations, here; in which cycles, `Actor::limited_to` in core.

use std::collections::BTreeSet;

use axum::http::{Method, header};
use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use fundcycle_store::token::Program;

use crate::api::Operation;
use crate::problem::{Code, Problem};

/// To read whatever the account may read.
pub(crate) const READ: &str = "read";
/// To do whatever the account may do.
pub(crate) const EVERYTHING: &str = "everything";

/// The scope that an operation needs: to read, or its own name. Moves of many records are those of one.
pub(crate) fn needed(operation: &Operation) -> &str {
    if operation.method == Method::GET {
        return READ;
    }
    operation.id.strip_suffix(".bulk").unwrap_or(&operation.id)
}

/// Every scope there is: those that operations need, and `GROUP.*` for all of a group.
pub(crate) fn all(operations: &[Operation]) -> BTreeSet<String> {
    let mut all = BTreeSet::from([READ.to_owned(), EVERYTHING.to_owned()]);
    for operation in operations.iter().filter(|one| !one.by_session) {
        let needed = needed(operation);
        all.insert(needed.to_owned());
        all.extend(
            needed
                .split_once('.')
                .map(|(group, _)| format!("{group}.*")),
        );
    }
    all
}

/// Refuses what a token is not for.
///
/// # Errors
///
/// 403, whatever the operation is about: it says nothing of any record.
pub(crate) fn check(program: &Program, operation: &Operation) -> Result<(), Problem> {
    let needed = needed(operation);
    let group = needed.split_once('.').map_or(needed, |(group, _)| group);
    let named = program.scopes.iter().any(|scope| {
        scope == EVERYTHING
            || scope == needed
            || (needed != READ && scope.strip_suffix(".*") == Some(group))
    });
    let reaches = program.cycles.is_none() || is_within_cycles(operation);
    if named && reaches && !operation.by_session {
        return Ok(());
    }
    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{needed}\"");
    let problem =
        Problem::new(Code::InsufficientScope).header(header::WWW_AUTHENTICATE, &challenge);
    Err(if operation.by_session {
        problem.detail(
            "No token of a program may do this: sign in.",
            "程序令牌不能执行此操作,请登录后操作。",
        )
    } else {
        problem.detail(
            format!("This token does not have the scope `{needed}` here."),
            format!("该令牌在此处没有“{needed}”权限。"),
        )
    })
}

/// Whether an operation is about records whose cycle is known: what is then not of the token's cycles
/// does not exist for it. Of the registry, which all cycles share, it only reads.
fn is_within_cycles(operation: &Operation) -> bool {
    let path = operation.path.strip_prefix("/v1/").unwrap_or_default();
    if path.starts_with("cycles/{cycle}/") {
        return true;
    }
    let plural = path.split('/').next().unwrap_or_default();
    let kind = Kind::ALL.iter().find(|kind| kind.plural() == plural);
    if operation.method == Method::GET {
        return kind.is_some() || operation.is_public() || operation.id == "me";
    }
    kind.is_some_and(|kind| !kind.is_registry())
}
