//! The side ways of the two rounds that rank: experts who step back, sheets and panels that are opened
//! again, sessions that fall through, pitches that fail, and a cycle without a paper review.

mod board;
mod draws;
mod roadshow;
mod swaps;
mod timetable;

use std::collections::BTreeSet;

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::desk::{Desk, PAPER, because, id_of, marks};
use crate::support::{Server, err, out, run};
use crate::walk::Walk;

/// What the scenarios of this file make happen, as `kind verb`.
pub(crate) const VERBS: &[&str] = &[
    "application clear_pitch",
    "application invite",
    "application pitch_again",
    "application reopen_review",
    "panel change_members",
    "panel commit_draw",
    "panel discard_plan",
    "panel dissolve",
    "panel draw_members",
    "panel plan_assignment",
    "panel reopen",
    "panel substitute",
    "pitch_session cancel",
    "pitch_session revise",
    "sheet abstain",
    "sheet recuse",
    "sheet reopen",
    "sheet void",
    "slot agree_to_swap",
    "slot approve_swap",
    "slot ask_swap",
    "slot cancel",
    "slot drop_swap",
    "slot hear_of_swap",
    "slot pitch_again",
    "slot take_place",
    "slot withdraw",
    "timetable draw_up",
    "timetable publish",
    "timetable redraw",
    "timetable shift",
];

on_both!(sheets_and_panels_are_opened_again_and_experts_step_back,);

/// Plays the demonstration to the end of the eligibility check and serves it.
pub(crate) fn checked_for_eligibility(database: &Database) -> Server {
    played_until(database, "eligibility")
}

/// Plays the demonstration to the end of a scene and serves it.
pub(crate) fn played_until(database: &Database, scene: &str) -> Server {
    let folder = database.folder.path();
    let arguments = ["demo", "--until", scene, "--database", &database.url];
    let played = run(folder, &arguments);
    assert_eq!(played.status.code(), Some(0), "{}", err(&played));
    // The play keeps its files in a folder of its own.
    let flags = ["--time-travel", "--files", "fundcycle-demo-files"];
    Server::start(folder, &database.url, &flags)
}

/// Which scenario makes a verb happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Draw,
    Review,
    Roadshow,
    Timetable,
    /// Plays no verb that the others do not.
    Board,
}

fn part_of(verb: &str) -> Part {
    let begins = |kinds: &[&str]| kinds.iter().any(|kind| verb.starts_with(kind));
    let roadshow = [
        "application clear_pitch",
        "application invite",
        "application pitch_again",
    ];
    let draw = [
        "panel commit_draw",
        "panel draw_members",
        "panel substitute",
    ];
    if draw.contains(&verb) {
        Part::Draw
    } else if begins(&["timetable "]) {
        Part::Timetable
    } else if begins(&["slot ", "pitch_session "]) || roadshow.contains(&verb) {
        Part::Roadshow
    } else {
        Part::Review
    }
}

/// The journals hold what this file says of itself, and rebuild every table.
async fn the_journals_hold(database: &Database, server: Server, part: Part) {
    let mut walk = Walk {
        server: &server,
        seen: BTreeSet::new(),
    };
    let staff = walk.person("staff@demo.invalid").await;
    walk.read_journals(&staff).await;
    let missing: Vec<&&str> = VERBS
        .iter()
        .filter(|verb| part_of(verb) == part && !walk.seen.contains(**verb))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    drop(server);
    let arguments = ["journal", "replay", "--check", "--database", &database.url];
    let replay = run(database.folder.path(), &arguments);
    assert_eq!(
        replay.status.code(),
        Some(0),
        "{}{}",
        out(&replay),
        err(&replay)
    );
}

/// A plan is on record until it is dropped, and gives nothing out; trying it shows the same plan.
async fn a_plan_is_tried_and_dropped(desk: &Desk<'_>, panel: &str) {
    let ask = json!({ "per_subject": 3, "max_load": 20 });
    let tried = desk
        .does("staff", panel, "plan_assignment?dry_run=true", ask.clone())
        .await;
    assert_eq!(desk.sees("staff", panel).await.1["plan"], Value::Null);
    let planned = desk.does("staff", panel, "plan_assignment", ask).await;
    assert_eq!(planned["plan"], tried["plan"]);
    let pairs = planned["plan"]["pairs"].as_array().unwrap();
    let subjects = planned["plan"]["inputs"]["subjects"].as_array().unwrap();
    assert!(subjects.len() > 14);
    assert_eq!(pairs.len(), 3 * subjects.len());
    assert_eq!(planned["plan"]["objective"], planned["plan"]["bound"]);
    let too_few = json!({ "per_subject": 3, "max_load": 2 });
    let plan = ("staff", panel, "plan_assignment");
    desk.refused(plan, too_few, 422, "infeasible").await;
    let left = desk.does("staff", panel, "discard_plan", json!({})).await;
    assert_eq!(
        (&left["plan"], &left["subjects"]),
        (&Value::Null, &json!([]))
    );
}

async fn sheets_and_panels_are_opened_again_and_experts_step_back(database: Database) {
    let server = checked_for_eligibility(&database);
    let experts = ["expert1", "expert2", "expert3", "expert4", "expert5"];
    let owners = ["org01", "org02", "org03", "org04"];
    let desk = Desk::open(
        &server,
        &[&["staff", "lead"][..], &experts, &owners].concat(),
    )
    .await;
    let applications = desk.applications(&owners).await;
    let [a, b, c, d] = [0, 1, 2, 3].map(|index| &applications[index]);
    desk.all("staff", &desk.path(""), &["open_review"]).await;

    let panel = desk.forms("paper_review", &experts[..4]).await;
    desk.does("staff", &panel, "change_members", desk.members(&experts))
        .await;
    a_plan_is_tried_and_dropped(&desk, &panel).await;
    let everything = desk.pairs(&experts, &[a, b, c]);
    desk.does("staff", &panel, "assign", everything).await;
    desk.does("staff", &panel, "assign", desk.pairs(&experts[..3], &[d]))
        .await;
    desk.stages(&[a, b, c, d], &["in_review"; 4]).await;
    let first = desk.sheet("expert1", a).await;
    let save = ("expert1", first.as_str(), "save");
    desk.refused(save, marks(PAPER, 80), 409, "panel_open")
        .await;
    desk.all("staff", &panel, &["open"]).await;
    another_panel_gives_way(&desk).await;

    for (index, expert) in experts.iter().enumerate() {
        desk.scores(expert, a, PAPER, 84).await;
        if index < 4 {
            desk.scores(expert, b, PAPER, 80).await;
        }
        desk.scores(expert, c, PAPER, 76).await;
    }
    for expert in &experts[..2] {
        desk.scores(expert, d, PAPER, 50).await;
    }
    a_sheet_is_sent_back(&desk, a).await;
    experts_step_back(&desk, &panel, [b, c]).await;
    a_quorum_is_waited_for(&desk, &panel, d).await;

    desk.all("staff", &panel, &["close"]).await;
    let (version, before) = desk.ranking(&panel).await;
    let order = |ranking: &[(String, String)]| -> Vec<String> {
        ranking.iter().map(|one| one.0.clone()).collect()
    };
    assert_eq!(version, 1);
    assert_eq!(order(&before), [a, b, c, d].map(Clone::clone));
    desk.stages(
        &[a, b, c, d],
        &[
            "shortlisted",
            "shortlisted",
            "shortlisted",
            "not_shortlisted",
        ],
    )
    .await;
    let late = ("staff", first.as_str(), "reopen");
    desk.refused(late, because("太晚"), 409, "panel_open").await;

    // Somebody has confirmed already; that, too, is taken back with the result.
    desk.all("org01", a, &["confirm"]).await;
    desk.refused(("staff", &panel, "reopen"), because("计分有误"), 403, "")
        .await;
    desk.refused(("lead", &panel, "reopen"), because(" "), 422, "/reason")
        .await;
    desk.does("lead", &panel, "reopen", because("计分有误"))
        .await;
    desk.stages(
        &[&panel, a, b, c, d],
        &["open", "in_review", "in_review", "in_review", "in_review"],
    )
    .await;
    for expert in ["expert1", "expert2", "expert4"] {
        let sheet = desk.sheet(expert, d).await;
        desk.does("staff", &sheet, "reopen", because("漏看附件"))
            .await;
        desk.scores(expert, d, PAPER, 95).await;
    }
    desk.all("staff", &panel, &["close"]).await;
    let (version, after) = desk.ranking(&panel).await;
    assert_eq!(version, 2);
    assert_eq!(order(&after), [d, a, b, c].map(Clone::clone));
    assert_eq!(
        after[1..],
        before[..3],
        "who was not scored again keeps the score"
    );
    desk.stages(&[a, b, c, d], &["shortlisted"; 4]).await;
    let (_, judged) = desk.sees("staff", d).await;
    assert_eq!(judged["paper_review"]["rank"], 1, "{judged}");
    the_journals_hold(&database, server, Part::Review).await;
}

/// A second panel of a round cannot work beside the first; it is given up.
async fn another_panel_gives_way(desk: &Desk<'_>) {
    let other = desk.forms("paper_review", &["expert1"]).await;
    desk.refused(("staff", &other, "open"), json!({}), 409, "round_free")
        .await;
    desk.all("staff", &other, &["dissolve"]).await;
    desk.stages(&[&other], &["dissolved"]).await;
    let members = desk.members(&["expert2"]);
    desk.refused(
        ("staff", &other, "change_members"),
        members,
        409,
        "dissolved",
    )
    .await;
}

/// A sheet that is sent back is handed in again; the journal keeps what it was.
async fn a_sheet_is_sent_back(desk: &Desk<'_>, subject: &str) {
    let sheet = desk.sheet("expert1", subject).await;
    desk.refused(("expert1", &sheet, "reopen"), because("改分"), 403, "")
        .await;
    desk.refused(("staff", &sheet, "reopen"), because(" "), 422, "required")
        .await;
    desk.does("staff", &sheet, "reopen", because("评语与得分不符"))
        .await;
    let (_, seen) = desk.sees("expert1", &sheet).await;
    assert_eq!(
        (&seen["stage"], &seen["reason"], &seen["submitted_at"]),
        (&json!("draft"), &json!("评语与得分不符"), &Value::Null)
    );
    desk.scores("expert1", subject, PAPER, 90).await;
    let mut handed_in = Vec::new();
    let mut after = json!(0);
    while !after.is_null() {
        let (_, page) = desk
            .sees("staff", &desk.path(&format!("/journal?after={after}")))
            .await;
        for entry in page["items"].as_array().unwrap() {
            if entry["id"] == id_of(&sheet) && entry["verb"] == "submit" {
                handed_in.push(entry["event"]["submitted"]["marks"].clone());
            }
        }
        after = page["next"].clone();
    }
    let both = [marks(PAPER, 84), marks(PAPER, 90)].map(|one| one["marks"]["scores"].clone());
    let kept: Vec<Value> = handed_in.iter().map(|one| one["scores"].clone()).collect();
    assert_eq!(kept, both);
}

/// One abstains, one finds an interest after handing in, one sheet does not count any more.
async fn experts_step_back(desk: &Desk<'_>, panel: &str, [b, c]: [&String; 2]) {
    let abstained = desk.sheet("expert5", b).await;
    desk.does("expert5", &abstained, "abstain", because("不熟悉该领域"))
        .await;
    desk.stages(&[&abstained], &["abstained"]).await;

    let recused = desk.sheet("expert2", c).await;
    desk.does(
        "expert2",
        &recused,
        "recuse",
        json!({ "ground": "配偶在该组织任职" }),
    )
    .await;
    desk.stages(&[&recused], &["recused"]).await;
    let (status, _) = desk.sees("expert2", &recused).await;
    assert_eq!(status, 404, "who stepped back sees the sheet no more");
    let again = desk.pairs(&["expert2"], &[c]);
    desk.refused(("staff", panel, "assign"), again, 422, "given_before")
        .await;

    let void = desk.sheet("expert1", c).await;
    desk.does("staff", &void, "void", because("误评")).await;
    desk.stages(&[&void], &["void"]).await;
    let submit = ("expert1", void.as_str(), "submit");
    desk.refused(submit, json!({}), 404, "").await;
    let back = ("staff", void.as_str(), "reopen");
    desk.refused(back, because("误作废"), 409, "void").await;
    let fewer = desk.members(&["expert1", "expert2", "expert3", "expert4"]);
    desk.refused(("staff", panel, "change_members"), fewer, 422, "has_sheets")
        .await;
}

/// An expert is absent: the panel waits for the sheet, then for another expert's.
async fn a_quorum_is_waited_for(desk: &Desk<'_>, panel: &str, d: &String) {
    let close = ("staff", panel, "close");
    desk.refused(close, json!({}), 409, "sheets_in").await;
    let absent = desk.sheet("expert3", d).await;
    desk.does("staff", &absent, "void", because("专家因病缺席"))
        .await;
    desk.refused(close, json!({}), 422, "quorum").await;
    desk.stages(&[&panel.to_owned(), d], &["open", "in_review"])
        .await;
    desk.does("staff", panel, "assign", desk.pairs(&["expert4"], &[d]))
        .await;
    desk.scores("expert4", d, PAPER, 50).await;
}
