//! Who has what to do in the review: an expert's list, and the bureau's board of rounds.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use fundcycle_core::actor::Role;
use fundcycle_core::aggregate::{REGISTRY, Record, Stored as _};
use fundcycle_core::application::Application;
use fundcycle_core::cycle::Cycle;
use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use fundcycle_core::panel::{self, Panel};
use fundcycle_core::policy::{Policy, Round};
use fundcycle_core::project::Project;
use fundcycle_core::rejection::Text;
use fundcycle_core::sheet::{self, Sheet};
use fundcycle_core::visibility::Eye;
use fundcycle_core::world::{Need, World};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::kinds::id_in_path;
use super::operation::{Answered, Operation};
use super::record::json_response;
use crate::problem::{Code, Problem};

/// The operations.
pub(crate) fn operations() -> Vec<Operation> {
    let items = json!({"type": "object", "properties": {"items": {"type": "array", "items": {"type": "object"}}}});
    vec![
        Operation::new(
            Method::GET,
            "/v1/me/work",
            "me.work",
            Text::new(
                "The sheets that you have to fill in, what is due first coming first, with how far each is",
                "我的评分任务(按截止时间排序,含进度)",
            ),
            mine,
        )
        .roles([Role::Account])
        .gives(
            StatusCode::OK,
            "Your sheets of open rounds: those outstanding, then those handed in.",
            items.clone(),
        )
        .tag("me"),
        Operation::new(
            Method::GET,
            "/v1/cycles/{cycle}/rounds",
            "rounds",
            Text::new(
                "How each round stands: what is complete, missing, overdue, conflicted or far apart",
                "各轮评审进度看板",
            ),
            rounds,
        )
        .roles(Eye::Organiser.all_seeing().iter().copied())
        .parameters([id_in_path("cycle", "Which cycle.")])
        .gives(StatusCode::OK, "One board for each panel.", items)
        .problems([Code::Malformed, Code::Forbidden, Code::NotFound])
        .tag("panels"),
    ]
}

/// Loads whatever `needs` asks for, until it asks for nothing more.
async fn loaded(
    call: &Call,
    journal: Uuid,
    needs: impl Fn(&World) -> Vec<Need>,
) -> Result<World, Problem> {
    let mut world = World::default();
    loop {
        let mut missing: BTreeSet<Need> = needs(&world).into_iter().collect();
        missing.retain(|need| !world.has(*need));
        if missing.is_empty() {
            return Ok(world);
        }
        let store = &call.app.store;
        store.load_needs(journal, missing, &mut world).await?;
    }
}

async fn mine(call: Call) -> Answered {
    call.query.done()?;
    let account = call.viewer.actor.account;
    let account = account.ok_or_else(|| Problem::new(Code::Unauthenticated))?;
    // Sheets lie in every cycle that the person was asked for.
    let world = loaded(&call, REGISTRY, |world| {
        let mut needs = vec![Need::OfPerson(Kind::Sheet, account)];
        for sheet in world.all::<Sheet>() {
            needs.push(Need::One(Kind::Cycle, sheet.journal));
            needs.extend(sheet.data.panel.map(|id| Need::One(Kind::Panel, id)));
            let subject = sheet.data.subject.into_iter();
            needs.extend(subject.map(|id| match sheet.data.round {
                Some(Round::Midterm | Round::Final) => Need::One(Kind::Project, id),
                _ => Need::One(Kind::Application, id),
            }));
            let cycle = world.get::<Cycle>(sheet.journal);
            let policy = cycle.and_then(|cycle| cycle.data.policy);
            needs.extend(policy.map(|id| Need::One(Kind::Policy, id)));
        }
        needs
    })
    .await?;
    let mut items: Vec<(bool, Option<i64>, Uuid, Value)> = world
        .all::<Sheet>()
        .filter(|sheet| sheet.data.expert == Some(account))
        .filter_map(|sheet| item(&call, sheet, &world))
        .collect();
    items.sort_by_key(|(is_in, due, id, _)| (*is_in, due.unwrap_or(i64::MAX), *id));
    let items: Vec<Value> = items.into_iter().map(|one| one.3).collect();
    Ok(json_response(StatusCode::OK, &json!({ "items": items })))
}

/// One sheet on the list of its expert: none unless they see it, in a panel that is open.
fn item(
    call: &Call,
    sheet: &Record<Sheet>,
    world: &World,
) -> Option<(bool, Option<i64>, Uuid, Value)> {
    use sheet::Stage::{Draft, Pending, Submitted};
    if !matches!(sheet.stage, Pending | Draft | Submitted) {
        return None;
    }
    let panel = world.get::<Panel>(sheet.data.panel?)?;
    if panel.stage != panel::Stage::Open {
        return None;
    }
    call.viewer.view(&Sheet::state(sheet.clone()))?;
    let subject = sheet.data.subject?;
    let application = world.get::<Application>(subject).cloned();
    let project = world.get::<Project>(subject).cloned();
    let subject_state = application
        .map(Application::state)
        .or_else(|| project.map(Project::state))?;
    let seen = call.viewer.view(&subject_state)?;
    let title = match seen.get("form") {
        Some(form) => form.get("title"),
        None => seen.get("title"),
    };
    let cycle = world.get::<Cycle>(sheet.journal)?;
    let policy = world.get::<Policy>(cycle.data.policy?)?;
    let round = sheet.data.round?;
    let rules = policy.data.document.rounds.get(&round)?;
    let (entered, criteria) = sheet::progress(&sheet.data, &rules.rubric);
    let is_in = sheet.stage == Submitted;
    let due = panel.data.due_at;
    let now = call.app.clock.now();
    let item = json!({
        "sheet": sheet.id, "cycle": sheet.journal, "cycle_name": cycle.data.name, "panel": panel.id,
        "round": round, "round_zh": round.zh(), "stage": sheet.stage, "stage_zh": sheet.stage.zh(),
        "subject": subject, "number": seen.get("number"), "title": title,
        "due_at": due, "is_overdue": !is_in && due.is_some_and(|due| due < now),
        "entered": entered, "criteria": criteria, "total": sheet.data.total,
        "begun_at": sheet.data.begun_at, "submitted_at": sheet.data.submitted_at,
    });
    Some((is_in, due.map(|due| due.0), sheet.id, item))
}

async fn rounds(call: Call) -> Answered {
    let cycle = call.cycle().await?;
    call.require_role(Some(cycle))?;
    call.query.done()?;
    let world = loaded(&call, cycle, |world| {
        let mut needs = vec![Need::All(Kind::Panel)];
        for panel in world.all::<Panel>() {
            needs.extend(panel::interests_need(panel, world));
        }
        needs
    })
    .await?;
    let viewer = &call.viewer;
    let all = viewer.reads_everything(cycle);
    let now = call.app.clock.now();
    let boards = world
        .all::<Panel>()
        .filter(|panel| panel.journal == cycle && panel.stage != panel::Stage::Dissolved)
        .map(|panel| {
            // Whoever has an interest finds nothing of what it is about (`visibility.md` F3).
            let mut shown = panel.clone();
            if !all {
                let barred = &viewer.standing.barred;
                shown
                    .data
                    .subjects
                    .retain(|subject| !barred.contains(subject));
            }
            let tells_scores = all || !viewer.standing.sealed.contains(&panel.id);
            panel::board(&shown, &world, now, tells_scores)
        });
    let boards: Vec<panel::Board> = boards.collect();
    Ok(json_response(StatusCode::OK, &json!({ "items": boards })))
}
