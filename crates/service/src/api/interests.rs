//! Who of a panel must not judge what, with what shows it.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use fundcycle_core::aggregate::Stored as _;
use fundcycle_core::kinds::Kind;
use fundcycle_core::panel::{self, Panel};
use fundcycle_core::rejection::Text;
use fundcycle_core::visibility::Eye;
use fundcycle_core::world::{Need, World};
use serde_json::json;

use super::call::Call;
use super::kinds::id_in_path;
use super::operation::{Answered, Operation};
use super::record::json_response;
use crate::problem::{Code, Problem};

/// The operations.
pub(crate) fn operations() -> Vec<Operation> {
    let text = json!({"type": "object", "properties": {"en": {"type": "string"}, "zh": {"type": "string"}}});
    let item = json!({
        "type": "object",
        "properties": {
            "expert": {"type": "string", "format": "uuid"},
            "name": {"type": "string"},
            "subject": {"type": "string", "format": "uuid"},
            "organisation": {"type": ["string", "null"], "format": "uuid"},
            "sheet": {"type": ["string", "null"], "format": "uuid", "description": "Given out before the interest came to light."},
            "sheet_stage": {"type": ["string", "null"]},
            "counts": {"type": "boolean", "description": "Whether the sheet counts until it is voided; closing the panel voids it."},
            "interests": {"type": "array", "items": {"type": "object", "properties": {"ground": {"type": "string"}, "evidence": text}}},
        },
    });
    vec![
        Operation::new(
            Method::GET,
            "/v1/panels/{id}/interests",
            "panel.interests",
            Text::new(
                "Which experts of the panel must not judge what, with what shows it",
                "评审组:利害关系及依据",
            ),
            interests,
        )
        .roles(Eye::Organiser.all_seeing().iter().copied())
        .parameters([id_in_path("id", "Which panel.")])
        .gives(
            StatusCode::OK,
            "Every pair of expert and application or project with an interest.",
            json!({"type": "object", "properties": {"items": {"type": "array", "items": item}}}),
        )
        .problems([Code::Malformed, Code::NotFound])
        .tag("panels"),
    ]
}

async fn interests(call: Call) -> Answered {
    let state = call.visible(Kind::Panel, call.id("id")?).await?;
    call.query.done()?;
    let Some(panel) = Panel::of(&state) else {
        return Err(Problem::not_found());
    };
    let mut world = World::default();
    loop {
        let mut needs: BTreeSet<Need> = panel::interests_need(panel, &world).into_iter().collect();
        needs.retain(|need| !world.has(*need));
        if needs.is_empty() {
            break;
        }
        let store = &call.app.store;
        store.load_needs(panel.journal, needs, &mut world).await?;
    }
    // Whoever has an interest of their own learns nothing of what it is about (`visibility.md` F3).
    let standing = &call.viewer.standing;
    let all = call.viewer.reads_everything(panel.journal);
    let items: Vec<panel::Found> = panel::found(panel, &world)
        .into_iter()
        .filter(|one| all || !standing.barred.contains(&one.subject))
        .collect();
    Ok(json_response(StatusCode::OK, &json!({ "items": items })))
}
