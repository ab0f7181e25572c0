//! The rules that decide at the money line, and who may bend them: a tie, a domain's minimum, rules that
//! stand once scores are known, several approvals, cuts with reasons, and the order of the reserve.

pub(crate) mod no_notice;
mod reserve;

use std::collections::BTreeSet;

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::district::{Bid, District, serve};
use crate::support::{err, out, run};
use crate::walk::{Walk, text};
use crate::ways::{happened, id, shut};

/// What is made to happen here.
pub(crate) const VERBS: &[&str] = &["attachment keep", "selection simulate"];

const ELDERLY: &str = "养老服务";
const POOR: &str = "扶贫济困";

/// The places of the bids below.
const UPHELD: usize = 0;
const TIED: usize = 1;
const TIED_TOO: usize = 2;
const SECOND_OF_FIRST: usize = 3;
const LATER: usize = 4;
const LAST: usize = 5;
const WITHDRAWN: usize = 6;

const fn bid(owner: usize, domain: &'static str, score: &'static str) -> Bid {
    Bid {
        owner,
        domain,
        yuan: 10_000,
        score,
    }
}

/// Money for three. The last is pulled in by the minimum of its domain; two tie for the last place that
/// is left; the fourth is the second of its organisation, and the fifth of a domain that is full.
const BIDS: [Bid; 7] = [
    bid(0, ELDERLY, "90"),
    bid(1, ELDERLY, "80"),
    bid(2, ELDERLY, "80"),
    bid(0, "社区建设", "78"),
    bid(3, ELDERLY, "76"),
    bid(4, POOR, "70"),
    bid(5, "其他公益", "69"),
];

fn rules(policy: &mut Value) {
    policy["selection_approvals"] = json!(2);
    policy["ranking"]["tie_breaks"] = json!([{ "by": "lots", "order": "lower" }]);
    policy["selection"] = json!({
        "budget": "30000", "mode": "rank_order", "when_short": "stop",
        "max_per_organisation": 1, "reserve": 9,
        "domain": { ELDERLY: { "max": 3 }, POOR: { "min": 1 } },
    });
}

on_both!(the_money_line_is_drawn_by_published_rules);

async fn the_money_line_is_drawn_by_published_rules(database: Database) {
    let server = serve(&database);
    let mut walk = Walk {
        server: &server,
        seen: BTreeSet::new(),
    };
    let district = District::scored(&mut walk, &BIDS, rules).await;
    let selection = the_line_is_drawn(&mut walk, &district).await;
    others_are_tried(&mut walk, &district, &selection).await;
    rules_stand_once_scores_are_known(&mut walk, &district).await;
    it_takes_two_others_to_approve(&mut walk, &district, &selection).await;
    the_notice_stays(&mut walk, &district).await;
    reserve::an_objection_frees_an_award(&mut walk, &district, &selection).await;
    the_public_file_holds(&walk, &database, &district).await;
    let staff = walk.person("staff@demo.invalid").await;
    happened(server, &staff, VERBS, &database).await;
}

/// The minimum of a domain pulls its best in before better ones of others; of two who tie for what is
/// left, lots decide.
async fn the_line_is_drawn(walk: &mut Walk<'_>, district: &District) -> String {
    let District { staff, .. } = district;
    let selection = district.computes(walk).await;
    let lines = district.lines(walk, &selection).await;
    let decisions: Vec<&Value> = lines.iter().map(|line| &line["decision"]).collect();
    assert_eq!(
        decisions[SECOND_OF_FIRST..],
        ["reserve", "reserve", "funded", "reserve"]
    );
    assert_eq!(lines[LAST]["rank"], 6);
    assert!(text(&lines[LAST], "reason").contains("minimum of domain"));
    // One of the two is funded, and nothing but their numbers says which: that is no rule.
    assert_eq!(lines[TIED]["rank"], lines[TIED_TOO]["rank"]);
    assert_ne!(decisions[TIED], decisions[TIED_TOO]);
    shut(
        walk,
        staff,
        &selection,
        "propose",
        json!({}),
        "ties_decided",
    )
    .await;
    walk.must(staff, &selection, "recompute", lots(district), "computed")
        .await;
    let lines = district.lines(walk, &selection).await;
    assert_eq!(
        (&lines[TIED_TOO]["decision"], &lines[TIED_TOO]["decided_by"]),
        (&json!("funded"), &json!("lots"))
    );
    assert_eq!(lines[TIED]["decision"], "reserve");
    selection
}

/// What was drawn before witnesses.
fn lots(district: &District) -> Value {
    let of = |index: usize| id(&district.applications[index]);
    json!({ "lots": { of(TIED): 2, of(TIED_TOO): 1 } })
}

/// Other rules are tried on the same inputs: it is on record what was tried, and nothing else changes.
async fn others_are_tried(walk: &mut Walk<'_>, district: &District, selection: &str) {
    let District { staff, lead, .. } = district;
    let before = walk.read(staff, selection).await;
    let more = json!({ "what_if": { "budget": "40000" } });
    let dry = format!("{selection}/simulate?dry_run=true");
    let (status, tried) = walk
        .server
        .ask("POST", &dry, Some(&staff.token), Some(more.clone()))
        .await;
    assert_eq!(status, 200, "{tried}");
    assert_eq!(tried["simulations"][0]["funded"], 4);
    assert_eq!(walk.read(staff, selection).await, before, "nothing is kept");

    walk.must(lead, selection, "simulate", more, "computed")
        .await;
    let no_minimum = json!({ "what_if": { "domain": { POOR: { "min": 0 } } } });
    walk.must(staff, selection, "simulate", no_minimum, "computed")
        .await;
    let after = walk.read(staff, selection).await;
    assert_eq!(after["run"], before["run"]);
    let moves = |simulation: &Value| -> Vec<(String, String, String)> {
        let moved = simulation["moved"].as_array().unwrap().iter();
        let each = moved.map(|one| {
            (
                text(one, "application"),
                text(&one["was"], "decision"),
                text(&one["becomes"], "decision"),
            )
        });
        each.collect()
    };
    let one = |index: usize, was: &str, becomes: &str| {
        let application = id(&district.applications[index]).to_owned();
        (application, was.to_owned(), becomes.to_owned())
    };
    let tried = after["simulations"].as_array().unwrap();
    assert_eq!(tried[0]["by"], lead.account.as_str());
    assert_eq!(moves(&tried[0]), [one(TIED, "reserve", "funded")]);
    assert_eq!(
        moves(&tried[1]),
        [
            one(TIED, "reserve", "funded"),
            one(LAST, "funded", "reserve")
        ]
    );
    let same = json!({ "what_if": { "budget": "30000" } });
    assert_eq!(
        walk.refused(staff, selection, "simulate", same).await,
        "/what_if nothing_differs"
    );
}

/// Who knows the scores chooses no rule any more; only what money there is may still change.
async fn rules_stand_once_scores_are_known(walk: &mut Walk<'_>, district: &District) {
    let District { lead, cycle, .. } = district;
    let changes: [fn(&mut Value); 5] = [
        |policy| {
            policy["rounds"]["paper_review"]["aggregation"] = json!({ "method": "median" });
        },
        |policy| {
            policy["ranking"]["tie_breaks"] = json!([{ "by": "requested", "order": "lower" }]);
        },
        |policy| policy["selection"]["domain"][POOR]["min"] = json!(0),
        |policy| policy["selection"]["pass_line"] = json!("79"),
        |policy| policy["selection_approvals"] = json!(1),
    ];
    for change in changes {
        let draft = district.amendment(walk, change).await;
        let why = walk.refused(lead, cycle, "amend", draft).await;
        assert_eq!(why, "/policy scores_seen");
    }
}

/// A departure is reasoned, what it cuts is named line by line, and two who did not make it approve.
async fn it_takes_two_others_to_approve(walk: &mut Walk<'_>, district: &District, selection: &str) {
    let District {
        staff,
        lead,
        other_lead,
        ..
    } = district;
    a_departure_names_its_cuts(walk, district, selection).await;
    walk.must(staff, selection, "propose", json!({}), "proposed")
        .await;
    district.grants(walk, staff, "lead").await;
    shut(
        walk,
        staff,
        selection,
        "approve",
        json!({}),
        "others_made_it",
    )
    .await;
    walk.must(lead, selection, "approve", json!({}), "proposed")
        .await;
    shut(walk, lead, selection, "approve", json!({}), "not_approver").await;

    // Somebody withdraws: what was approved is not what stands any more.
    let (owner, application) = (&district.owners[5], &district.applications[WITHDRAWN]);
    let why = json!({ "reason": "另有安排" });
    walk.must(owner, application, "withdraw", why, "withdrawn")
        .await;
    shut(
        walk,
        other_lead,
        selection,
        "approve",
        json!({}),
        "inputs_hold",
    )
    .await;
    let why = json!({ "reason": "申报撤回,须重新测算" });
    walk.must(other_lead, selection, "send_back", why, "computed")
        .await;
    let seen = walk.read(staff, selection).await;
    assert_eq!(seen["approved_by"], json!([]));
    walk.must(staff, selection, "recompute", lots(district), "computed")
        .await;
    a_departure_names_its_cuts(walk, district, selection).await;
    walk.must(staff, selection, "propose", json!({}), "proposed")
        .await;
    walk.must(lead, selection, "approve", json!({}), "proposed")
        .await;
    walk.must(other_lead, selection, "approve", json!({}), "approved")
        .await;
    // Until it is announced, nobody it is about knows or stands any differently.
    let mut before = district.stages(walk).await;
    before.dedup();
    assert_eq!(before, ["shortlisted", "withdrawn"]);
    let token = Some(district.owners[0].token.as_str());
    let (status, _) = walk.server.ask("GET", selection, token, None).await;
    assert_eq!(status, 404);
    walk.must(staff, selection, "announce", json!({}), "announced")
        .await;
    assert_eq!(
        district.stages(walk).await,
        [
            "proposed",
            "proposed",
            "proposed",
            "reserve",
            "reserve",
            "proposed",
            "withdrawn"
        ]
    );
}

/// The two who tied share what one of them would get: each line of a budget that is cut has its reason.
async fn a_departure_names_its_cuts(walk: &mut Walk<'_>, district: &District, selection: &str) {
    let staff = &district.staff;
    let changes = |cuts: [Value; 2]| {
        let change = |index: usize, award: i64, cuts: &Value| {
            json!({
                "application": id(&district.applications[index]), "decision": "funded", "award": award,
                "reason": "得分相同,协商分担", "cuts": cuts,
            })
        };
        let [first, second] = cuts;
        json!({ "changes": [change(TIED, 400_000, &first), change(TIED_TOO, 600_000, &second)] })
    };
    let cut = |line: u32, amount: i64, reason: &str| json!([{ "line": line, "amount": amount, "reason": reason }]);
    let other = cut(1, 400_000, "可使用自有场地");
    for (cuts, fault) in [
        (json!([]), "/changes/0/cuts cuts_do_not_add_up"),
        (cut(0, 600_000, " "), "/changes/0/cuts/0/reason required"),
        (
            cut(1, 600_000, "单价偏高"),
            "/changes/0/cuts/0/amount cut_out_of_range",
        ),
    ] {
        let body = changes([cuts, other.clone()]);
        assert_eq!(walk.refused(staff, selection, "depart", body).await, fault);
    }
    let body = changes([cut(0, 600_000, "单价偏高,物资已有库存"), other]);
    walk.must(staff, selection, "depart", body, "computed")
        .await;
    let lines = district.lines(walk, selection).await;
    assert_eq!(
        (&lines[TIED]["award"], &lines[TIED]["cuts"][0]["reason"]),
        (&json!(400_000), &json!("单价偏高,物资已有库存"))
    );
}

/// Once the result is known, nobody does away with the public's chance to object to it.
async fn the_notice_stays(walk: &mut Walk<'_>, district: &District) {
    let District { lead, cycle, .. } = district;
    let changes: [fn(&mut Value); 3] = [
        |policy| policy["stages"]["notice"] = json!(false),
        |policy| policy["notice"]["working_days"] = json!(1),
        |policy| policy["notice"]["objection_working_days"] = json!(1),
    ];
    for change in changes {
        let draft = district.amendment(walk, change).await;
        let why = walk.refused(lead, cycle, "amend", draft).await;
        assert_eq!(why, "/policy result_known");
    }
}

/// What the cycle publishes can be computed again by anybody.
async fn the_public_file_holds(walk: &Walk<'_>, database: &Database, district: &District) {
    let path = district.path("verification");
    let (status, file) = walk.server.ask("GET", &path, None, None).await;
    assert_eq!(status, 200, "{file}");
    let folder = database.folder.path();
    std::fs::write(folder.join("verification.json"), file.to_string()).unwrap();
    let said = run(folder, &["verify", "verification.json"]);
    let text = out(&said) + &err(&said);
    assert_eq!(said.status.code(), Some(0), "{text}");
    for line in [
        "✓ selection: ",
        "✓ departures ",
        "with 2 approval(s)",
        "✓ promotion of ",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}
