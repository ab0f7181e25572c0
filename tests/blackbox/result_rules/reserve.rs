//! An objection that is upheld, and who moves up.

use fundcycle_core::kinds::Kind;
use serde_json::{Value, json};

use super::{LATER, SECOND_OF_FIRST, UPHELD};
use crate::district::District;
use crate::walk::{Walk, text};
use crate::ways::{at, id, is, items, shut};

pub(super) async fn an_objection_frees_an_award(
    walk: &mut Walk<'_>,
    district: &District,
    selection: &str,
) {
    at(walk, &district.admin, "2024-07-10T09:00:00+08:00").await;
    let first = district.prepares(walk, selection).await;
    walk.must(&district.lead, &first, "publish", json!({}), "running")
        .await;
    limits_hold_the_reserve(walk, district, selection).await;
    an_objection_is_upheld(walk, district, &first).await;
    the_next_moves_up(walk, district, selection).await;

    // What was published stays published, and the selection says what it said.
    let number = text(
        &walk
            .read(&district.staff, &district.applications[UPHELD])
            .await,
        "number",
    );
    let (_, seen) = walk.server.ask("GET", &first, None, None).await;
    let rows = seen["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["number"] == number.as_str()));
    let lines = district.lines(walk, selection).await;
    assert_eq!(lines[UPHELD]["decision"], "funded");
}

fn promotion(district: &District, index: usize, passed_over: Value) -> Value {
    json!({
        "application": id(&district.applications[index]), "award": 1_000_000,
        "reason": "异议成立,资金空出", "passed_over": passed_over,
    })
}

/// As long as everybody keeps the award, the limits of organisation and domain hold the reserve where it is.
async fn limits_hold_the_reserve(walk: &Walk<'_>, district: &District, selection: &str) {
    for index in [SECOND_OF_FIRST, LATER] {
        let body = promotion(district, index, json!([]));
        assert_eq!(
            walk.refused(&district.lead, selection, "promote", body)
                .await,
            "/application limit_reached, /award over_budget"
        );
    }
}

/// Under a name and with evidence; acknowledged; the applicant is heard; who scored does not rule.
async fn an_objection_is_upheld(walk: &mut Walk<'_>, district: &District, notice: &str) {
    let District {
        staff, lead, judge, ..
    } = district;
    let application = &district.applications[UPHELD];
    let number = text(&walk.read(staff, application).await, "number");
    let path = district.path("objections");
    let objection = json!({
        "notice": id(notice), "number": number,
        "objector": { "kind": "unit", "name": "(演示)某社区居委会", "contact": "0519-00000003", "signed": true },
        "facts": "(演示)同一项目已获其他财政资金。",
        "evidence": [{ "name": "(演示)盖章异议书.pdf", "sha256": "5e".repeat(32) }],
    });
    let mut nameless = objection.clone();
    nameless["objector"] = json!({ "kind": "person", "name": " ", "contact": "", "signed": false });
    nameless["evidence"][0]["sha256"] = json!("abc");
    let (status, problem) = walk.server.ask("POST", &path, None, Some(nameless)).await;
    let faults = problem["errors"].as_array().unwrap().iter();
    let faults: Vec<&Value> = faults.map(|fault| &fault["pointer"]).collect();
    assert_eq!(
        (status, faults),
        (
            422,
            vec![
                &json!("/objector/name"),
                &json!("/objector/contact"),
                &json!("/evidence/0/sha256"),
                &json!("/objector/signed"),
            ]
        )
    );
    let (status, receipt) = walk.server.ask("POST", &path, None, Some(objection)).await;
    assert_eq!(status, 202, "{receipt}");
    assert!(receipt["received_at"].is_string());
    let filed = items(walk, staff, &path).await;
    assert_eq!((filed.len(), &filed[0]["id"]), (1, &receipt["receipt"]));
    let record = format!("/v1/objections/{}", text(&receipt, "receipt"));
    let (status, _) = walk.server.ask("GET", &record, None, None).await;
    assert_eq!(
        status, 401,
        "whoever objects learns the ruling from the office"
    );
    let paper = format!("{record}/attachments?name=objection.txt");
    let kept = the_paper_is_kept(walk, district, &paper).await;
    walk.must(staff, &record, "accept", json!({}), "accepted")
        .await;
    is(walk, staff, application, "disputed").await;
    let answers = &district.owners[0];
    let seen = walk.read(answers, &record).await;
    assert!(seen["facts"].is_string() && seen["objector"].is_null() && seen["evidence"].is_null());
    let (status, _) = walk
        .server
        .ask("GET", &kept, Some(&answers.token), None)
        .await;
    assert_eq!(status, 404, "who objected stays with the office");
    let why = json!({ "reason": "经核实,重复获得资助" });
    shut(walk, lead, &record, "uphold", why.clone(), "due_passed").await;
    let statement = json!({ "statement": "(演示)确有重复。" });
    walk.must(answers, &record, "answer", statement, "heard")
        .await;
    district.grants(walk, judge, "lead").await;
    shut(walk, judge, &record, "uphold", why.clone(), "not_a_scorer").await;
    walk.must(lead, &record, "uphold", why, "upheld").await;
    let more = walk
        .refused(staff, &record, "attachments?name=late.txt", json!("另附"))
        .await;
    assert_eq!(more, " ruled_on");
    is(walk, staff, application, "cancelled").await;

    at(walk, &district.admin, "2024-07-17T09:00:00+08:00").await;
    is(walk, staff, notice, "ended").await;
    assert_eq!(
        district.stages(walk).await,
        [
            "cancelled",
            "cleared",
            "cleared",
            "reserve",
            "reserve",
            "cleared",
            "withdrawn"
        ]
    );
}

/// The signed writing itself is kept by the office, and by nobody else; gives its address.
async fn the_paper_is_kept(walk: &Walk<'_>, district: &District, path: &str) -> String {
    let writing = json!("(演示)盖章异议书");
    for (who, expected) in [(&district.owners[0], 404), (&district.lead, 403)] {
        let (status, answer) = walk
            .server
            .ask("POST", path, Some(&who.token), Some(writing.clone()))
            .await;
        assert_eq!(status, expected, "{answer}");
    }
    let (status, kept) = walk
        .server
        .ask("POST", path, Some(&district.staff.token), Some(writing))
        .await;
    assert_eq!((status, &kept["stage"]), (201, &json!("stored")), "{kept}");
    format!("/v1/attachments/{}", text(&kept, "id"))
}

/// In the order of the reserve, unless there is a reason against the one before; with its own notice.
async fn the_next_moves_up(walk: &mut Walk<'_>, district: &District, selection: &str) {
    let District { staff, lead, .. } = district;
    let over = |reason: &str| json!([{ "application": id(&district.applications[SECOND_OF_FIRST]), "reason": reason }]);
    for (passed_over, fault) in [
        (json!([]), "/passed_over not_next"),
        (over(" "), "/passed_over/0/reason required"),
    ] {
        let body = promotion(district, LATER, passed_over);
        assert_eq!(walk.refused(lead, selection, "promote", body).await, fault);
    }
    let mut less = promotion(district, SECOND_OF_FIRST, json!([]));
    less["award"] = json!(900_000);
    assert_eq!(
        walk.refused(lead, selection, "promote", less).await,
        "/cuts cuts_do_not_add_up"
    );
    let next = promotion(district, SECOND_OF_FIRST, json!([]));
    walk.must(lead, selection, "promote", next, "announced")
        .await;
    let record = &district.applications[SECOND_OF_FIRST];
    is(walk, staff, record, "proposed").await;
    let path = district.path("notices");
    let body = json!({ "selection": id(selection) });
    let notice = walk
        .create(staff, Kind::Notice, "prepare", &path, body)
        .await;
    walk.must(lead, &notice, "publish", json!({}), "running")
        .await;
    let (status, seen) = walk.server.ask("GET", &notice, None, None).await;
    assert_eq!((status, seen["rows"].as_array().unwrap().len()), (200, 1));
    at(walk, &district.admin, "2024-07-26T09:00:00+08:00").await;
    is(walk, staff, record, "cleared").await;
}
