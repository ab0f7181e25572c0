//! A cycle that leaves out the paper review: invitations, sessions that fall through, pitches that fail.

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use super::swaps::places_are_swapped;
use super::{Part, checked_for_eligibility, the_journals_hold};
use crate::desk::{Desk, PITCH, because, id_of, marks};
use crate::numbers::draw::by_hand;

const POLICY: &str = include_str!("../../../docs/examples/wujin-2024.toml");
pub(super) const SEED: &str = "00112233445566778899aabbccddeeff";
/// `printf 00112233445566778899aabbccddeeff | xxd -r -p | sha256sum`
pub(super) const COMMITMENT: &str =
    "a8faed6abbf35c12a4b26e40f6feb19d736d90045c83b9f9a31f638d323e6811";

on_both!(a_roadshow_without_a_review_is_disturbed_and_scored_again);

pub(super) const EXPERTS: [&str; 3] = ["expert1", "expert2", "expert3"];
pub(super) const OWNERS: [&str; 5] = ["org01", "org02", "org03", "org04", "org05"];

async fn a_roadshow_without_a_review_is_disturbed_and_scored_again(database: Database) {
    let server = checked_for_eligibility(&database);
    let desk = Desk::open(
        &server,
        &[&["staff", "lead"][..], &EXPERTS, &OWNERS].concat(),
    )
    .await;
    let applications = desk.applications(&OWNERS).await;
    everybody_is_invited(&desk, &applications).await;
    sessions_fall_through(&desk, &applications).await;

    let [heard, late, left, absent, last] = [0, 1, 2, 3, 4].map(|index| &applications[index]);
    let session = published(&desk, "重排场次", &applications).await;
    let slots = slots_of(&desk, &session, &applications).await;
    places_are_swapped(&desk, &session, &slots).await;
    desk.all("org01", &slots[0], &["confirm"]).await;
    desk.all("staff", &session, &["start"]).await;
    desk.all("staff", &slots[0], &["check_in", "start", "finish"])
        .await;
    desk.stages(&[&slots[0], heard], &["presented", "presented"])
        .await;
    let again = ("staff", slots[0].as_str(), "pitch_again");
    desk.refused(again, because(" "), 422, "/reason").await;
    desk.does("staff", &slots[0], "pitch_again", because("投影故障"))
        .await;
    desk.stages(&[&slots[0], heard], &["checked_in", "roadshow_ready"])
        .await;
    let (_, seen) = desk.sees("staff", &slots[0]).await;
    assert_eq!(
        (&seen["repeated_because"], &seen["finished_at"]),
        (&json!(["投影故障"]), &Value::Null)
    );
    desk.all("staff", &slots[0], &["start", "finish"]).await;

    desk.all("staff", &slots[1], &["mark_absent"]).await;
    desk.stages(&[&slots[1], late], &["no_show", "no_show"])
        .await;
    desk.does("staff", &slots[1], "pitch_again", because("视频连线中断"))
        .await;
    desk.stages(&[&slots[1], late], &["checked_in", "roadshow_ready"])
        .await;
    desk.all("staff", &slots[1], &["start", "finish"]).await;

    desk.refused(("staff", &slots[2], "withdraw"), json!({}), 409, "left")
        .await;
    desk.does("org03", left, "withdraw", because("项目负责人离职"))
        .await;
    desk.refused(
        ("staff", &slots[2], "check_in"),
        json!({}),
        409,
        "takes_part",
    )
    .await;
    desk.refused(("staff", &session, "finish"), json!({}), 409, "slots_done")
        .await;
    desk.all("staff", &slots[2], &["withdraw"]).await;
    desk.all("staff", &slots[3], &["check_in", "mark_absent"])
        .await;
    desk.all("staff", &slots[4], &["check_in", "start", "finish"])
        .await;
    desk.all("staff", &session, &["finish"]).await;
    desk.stages(
        &[&session, &slots[2], &slots[3]],
        &["held", "withdrawn", "no_show"],
    )
    .await;
    desk.stages(
        &[heard, late, left, absent, last],
        &[
            "presented",
            "presented",
            "withdrawn",
            "no_show",
            "presented",
        ],
    )
    .await;
    desk.refused(again, because("投影故障"), 409, "session_running")
        .await;
    pitches_are_scored_again(&desk, [heard, late, last]).await;
    the_journals_hold(&database, server, Part::Roadshow).await;
}

/// The policy is amended to leave the paper review out: whoever is eligible can be invited.
pub(super) async fn everybody_is_invited(desk: &Desk<'_>, applications: &[String]) {
    let first = ("staff", applications[0].as_str(), "invite");
    desk.refused(first, json!({}), 409, "no_review").await;
    let mut document: Value =
        serde_json::to_value(toml::from_str::<toml::Table>(POLICY).unwrap()).unwrap();
    document["stages"]["review"] = json!(false);
    document["rounds"]
        .as_object_mut()
        .unwrap()
        .remove("paper_review");
    document["rounds"]["roadshow"]["weight"] = json!("1");
    let draft = json!({ "document": document, "reason": "本届不设书面评审" });
    let policy = desk.creates("staff", "policies", draft).await;
    let put = json!({ "policy": id_of(&policy) });
    desk.does("lead", &desk.path(""), "amend", put).await;

    let eligible = desk
        .list("staff", "/applications?stage=eligible&limit=100")
        .await;
    assert!(eligible.len() > applications.len());
    for one in &eligible {
        let record = format!("/v1/applications/{}", one["id"].as_str().unwrap());
        desk.all("staff", &record, &["invite"]).await;
        desk.stages(&[&record], &["shortlisted"]).await;
    }
    // Nobody is left who is only eligible, and the roadshow begins all the same.
    desk.all("staff", &desk.path(""), &["open_roadshow"]).await;
}

/// One session is given up before its order is public, one after it; the third takes place.
async fn sessions_fall_through(desk: &Desk<'_>, applications: &[String]) {
    let session = planned(desk, "第一场", &applications[..1]).await;
    let plan = plan("改期场次", applications);
    desk.does("staff", &session, "revise", plan.clone()).await;
    let (_, seen) = desk.sees("staff", &session).await;
    assert_eq!(
        (&seen["name"], &seen["applications"]),
        (&plan["name"], &sorted(applications))
    );
    commit_and_draw(desk, &session).await;
    desk.refused(("staff", &session, "revise"), plan, 409, "drawn")
        .await;
    let slot = &slots_of(desk, &session, applications).await[0];
    let hidden = desk.sees("org01", slot).await.0;
    desk.refused(("staff", &session, "cancel"), because(" "), 422, "/reason")
        .await;
    desk.does("staff", &session, "cancel", because("停电"))
        .await;
    desk.stages(&[&session, slot], &["cancelled", "discarded"])
        .await;
    assert_eq!(
        (hidden, desk.sees("org01", slot).await.0),
        (404, 404),
        "never public"
    );
    let (_, seen) = desk.sees("org01", &session).await;
    assert_eq!(
        (&seen["draw"]["seed"], &seen["cancelled_because"]),
        (&json!(SEED), &json!("停电")),
        "a draw that is given up is disclosed"
    );

    let session = published(desk, "第二场", applications).await;
    let slots = slots_of(desk, &session, applications).await;
    desk.all("org01", &slots[0], &["confirm"]).await;
    desk.does("staff", &session, "cancel", because("场地被征用"))
        .await;
    desk.stages(&[&slots[0], &slots[1]], &["cancelled", "cancelled"])
        .await;
    desk.stages(
        &[&applications[0], &applications[1]],
        &["roadshow_ready", "shortlisted"],
    )
    .await;
    let (_, seen) = desk.sees("org01", &slots[0]).await;
    assert_eq!(seen["stage"], "cancelled", "the applicant is told");
}

/// The panel is opened again: the scores are taken back, and what is handed in then counts.
async fn pitches_are_scored_again(desk: &Desk<'_>, pitched: [&String; 3]) {
    let panel = desk.forms("roadshow", &EXPERTS).await;
    desk.does("staff", &panel, "assign", desk.pairs(&EXPERTS, &pitched))
        .await;
    desk.all("staff", &panel, &["open"]).await;
    for (subject, quality) in pitched.iter().zip([90, 80, 70]) {
        for expert in EXPERTS {
            desk.scores(expert, subject, PITCH, quality).await;
        }
    }
    desk.all("staff", &panel, &["close"]).await;
    let (version, before) = desk.ranking(&panel).await;
    let first = before.iter().map(|one| &one.0);
    assert_eq!((version, first.collect::<Vec<_>>()), (1, pitched.to_vec()));
    let (_, scored) = desk.sees("staff", pitched[2]).await;
    assert_eq!(scored["roadshow"]["rank"], 3, "{scored}");

    desk.does("lead", &panel, "reopen", because("漏计答辩分"))
        .await;
    for subject in pitched {
        let (_, cleared) = desk.sees("staff", subject).await;
        assert_eq!(
            (&cleared["stage"], &cleared["roadshow"]),
            (&json!("presented"), &Value::Null)
        );
    }
    desk.refused(
        ("staff", &desk.path(""), "open_selection"),
        json!({}),
        409,
        "roadshow_closed",
    )
    .await;
    for expert in EXPERTS {
        let sheet = desk.sheet(expert, pitched[2]).await;
        desk.does("staff", &sheet, "reopen", because("漏计答辩分"))
            .await;
        desk.does(expert, &sheet, "save", marks(PITCH, 100)).await;
        desk.all(expert, &sheet, &["submit"]).await;
    }
    desk.all("staff", &panel, &["close"]).await;
    let (version, after) = desk.ranking(&panel).await;
    assert_eq!((version, &after[0].0), (2, pitched[2]));
    assert_eq!(
        after[1..],
        before[..2],
        "who was not scored again keeps the score"
    );
    let (_, scored) = desk.sees("staff", pitched[2]).await;
    assert_eq!(scored["roadshow"]["rank"], 1, "{scored}");
}

fn sorted(applications: &[String]) -> Value {
    let mut ids: Vec<&str> = applications.iter().map(|one| id_of(one)).collect();
    ids.sort_unstable();
    json!(ids)
}

fn plan(name: &str, applications: &[String]) -> Value {
    json!({ "name": name, "room": "(演示)报告厅", "starts_at": "2024-07-04T09:00:00+08:00", "applications": sorted(applications) })
}

async fn planned(desk: &Desk<'_>, name: &str, applications: &[String]) -> String {
    desk.creates("staff", "pitch-sessions", plan(name, applications))
        .await
}

async fn commit_and_draw(desk: &Desk<'_>, session: &str) {
    let commitment = json!({ "commitment": COMMITMENT });
    desk.does("staff", session, "commit_draw", commitment).await;
    let other = json!({ "seed": SEED.replace("ff", "fe") });
    desk.refused(("staff", session, "draw"), other, 422, "/seed")
        .await;
    desk.does("staff", session, "draw", json!({ "seed": SEED }))
        .await;
}

pub(super) async fn published(desk: &Desk<'_>, name: &str, applications: &[String]) -> String {
    let session = planned(desk, name, applications).await;
    commit_and_draw(desk, &session).await;
    desk.all("staff", &session, &["publish"]).await;
    nobody_chose_the_order(desk, &session).await;
    session
}

/// The order follows from the list and the seed, as a second implementation of the draw finds too; and
/// nobody draws another one.
async fn nobody_chose_the_order(desk: &Desk<'_>, session: &str) {
    let (_, seen) = desk.sees("org01", session).await;
    let list: Vec<String> = serde_json::from_value(seen["list"].clone()).unwrap();
    let seed = data_encoding::HEXLOWER.decode(SEED.as_bytes()).unwrap();
    let (order, _, list_hash) = by_hand(&list, &seed);
    assert_eq!(
        (
            &seen["draw"]["order"],
            &seen["draw"]["seed"],
            &seen["list_hash"]
        ),
        (&json!(order), &json!(SEED), &json!(list_hash))
    );
    let again = json!({ "seed": SEED });
    desk.refused(("staff", session, "draw"), again, 409, "not_from_here")
        .await;
    let again = json!({ "commitment": COMMITMENT });
    desk.refused(
        ("staff", session, "commit_draw"),
        again,
        409,
        "not_from_here",
    )
    .await;
}

/// The turn of each application in the session.
pub(super) async fn slots_of(
    desk: &Desk<'_>,
    session: &str,
    applications: &[String],
) -> Vec<String> {
    let slots = desk
        .list(
            "staff",
            &format!("/slots?parent={}&limit=100", id_of(session)),
        )
        .await;
    let turn = |application: &String| {
        let of = |slot: &&Value| slot["turn"]["application"] == id_of(application);
        let slot = slots.iter().find(of).unwrap();
        format!("/v1/slots/{}", slot["id"].as_str().unwrap())
    };
    applications.iter().map(turn).collect()
}
