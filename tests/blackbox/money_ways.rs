//! What else becomes of a project and its money: plans sent back, payments held, evaluations failed,
//! money recovered or given up. Three projects of one cycle live what the demonstration does not show.

mod agreement;
mod ends;
mod evaluations;
pub(crate) mod monitoring;
pub(crate) mod next_cycle;
mod payments;
mod reports;
pub(crate) mod rules;

use std::collections::BTreeSet;

use fundcycle_core::kinds::Kind;
use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::support::{Server, err, out, run};
use crate::walk::{PASSWORD, Person, Walk, text};
use crate::ways::{happened, played_until, reminded_of};

/// What these lives make happen, as `kind verb`; the test finds each in the journal.
pub(crate) const VERBS: &[&str] = &[
    "change_request refuse",
    "change_request withdraw",
    "evaluation regrade",
    "project check_bank_account",
    "project confirm_recovery",
    "project fail_final",
    "project fail_midterm",
    "project give_bank_account",
    "project recover",
    "project rectify_final",
    "project resume",
    "project return_plan",
    "project suspend",
    "project terminate",
    "project write_off",
    "report expire",
    "report extend",
    "report return",
    "tranche cancel",
    "tranche reduce",
    "tranche release_hold",
    "tranche return_request",
    "tranche withhold",
];

/// Who works on the cycle, and the cycle itself.
struct Bureau {
    admin: Person,
    staff: Person,
    lead: Person,
    lead_2: Person,
    finance: Person,
    cycle: String,
}

/// One project with who runs it.
struct Case {
    owner: Person,
    project: String,
    /// The amount of the award, in fen.
    award: i64,
}

impl Bureau {
    /// Signs everybody in.
    async fn open(walk: &Walk<'_>) -> Self {
        let staff = walk.person("staff@demo.invalid").await;
        let cycles = walk.read(&staff, "/v1/cycles").await;
        Self {
            admin: walk.person("admin@demo.invalid").await,
            lead: walk.person("lead@demo.invalid").await,
            lead_2: walk.person("lead2@demo.invalid").await,
            finance: walk.person("finance@demo.invalid").await,
            cycle: format!("/v1/cycles/{}", text(&cycles["items"][0], "id")),
            staff,
        }
    }

    /// Sets the clock; what falls due by then has happened.
    async fn at(&self, walk: &Walk<'_>, now: &str) {
        let token = walk.server.sign_in("admin@demo.invalid", PASSWORD).await;
        let body = Some(json!({ "now": now }));
        let answer = walk
            .server
            .ask("PUT", "/v1/clock", Some(&token), body)
            .await;
        assert_eq!(answer.0, 200, "{now}: {}", answer.1);
    }

    /// Gives or takes (`verb`) a role in the cycle.
    async fn role(&self, walk: &mut Walk<'_>, verb: &str, who: &Person, role: &str) {
        let cycle = self.cycle.rsplit('/').next();
        let grant = json!({ "grant": { "role": role, "scope": { "cycle": cycle } } });
        let account = format!("/v1/accounts/{}", who.account);
        walk.must(&self.admin, &account, verb, grant, "active")
            .await;
    }

    /// The tranches of a project in the order of payment.
    async fn tranches(&self, walk: &Walk<'_>, case: &Case) -> Vec<Value> {
        let list = format!("{}/tranches?parent={}", self.cycle, id(&case.project));
        let list = walk.read(&self.staff, &list).await;
        let mut tranches = list["items"].as_array().unwrap().clone();
        tranches.sort_by_key(|one| one["position"].as_i64());
        tranches
    }

    /// The stage and amount of every tranche of a project.
    async fn money(&self, walk: &Walk<'_>, case: &Case) -> Vec<(String, i64)> {
        let tranches = self.tranches(walk, case).await;
        let each = tranches.iter();
        each.map(|one| (text(one, "stage"), one["amount"].as_i64().unwrap()))
            .collect()
    }

    /// Where the tranche at `position` (from 0) of a project answers.
    async fn tranche(&self, walk: &Walk<'_>, case: &Case, position: usize) -> String {
        let tranches = self.tranches(walk, case).await;
        format!("/v1/tranches/{}", text(&tranches[position], "id"))
    }

    /// Requests, approves and pays: three people.
    async fn pay(&self, walk: &mut Walk<'_>, case: &Case, position: usize, day: &str) {
        let record = self.tranche(walk, case, position).await;
        walk.must(&self.staff, &record, "request", json!({}), "requested")
            .await;
        walk.must(&self.lead, &record, "approve", json!({}), "approved")
            .await;
        let (_, amount) = self.money(walk, case).await[position];
        let body = payment(amount, day);
        walk.must(&self.finance, &record, "pay", body, "paid").await;
    }
}

/// What finance notes of a payment.
fn payment(amount: i64, day: &str) -> Value {
    json!({ "amount": amount, "voucher": format!("凭证-{day}"), "paid_on": day })
}

fn because(reason: &str) -> Value {
    json!({ "reason": reason })
}

/// The id at the end of an address.
fn id(record: &str) -> &str {
    record.rsplit('/').next().unwrap()
}

on_both!(
    plans_payments_and_evaluations_go_every_other_way,
    the_rules_of_the_policy_decide
);

async fn the_rules_of_the_policy_decide(database: Database) {
    let server = played_until("notice", &database);
    let mut seen = Walk {
        server: &server,
        seen: BTreeSet::new(),
    };
    let walk = &mut seen;
    let bureau = Bureau::open(walk).await;
    rules::are_amended(walk, &bureau).await;
    let [first, second, third] = agreement::three_are_awarded(walk, &bureau).await;
    rules::lower_targets_wait_for_a_lead(walk, &bureau, &first).await;
    for case in [&second, &third] {
        agreement::planned(walk, &bureau, case).await;
    }
    let all = [&first, &second, &third];
    agreement::signed(walk, &bureau, all).await;
    for case in all {
        bureau.pay(walk, case, 0, "2024-08-20").await;
    }
    agreement::launched(walk, &bureau, all).await;
    rules::changes_go_by_their_size(walk, &bureau, &second).await;
    monitoring::activities_are_recorded_with_evidence(walk, &bureau, &second).await;
    rules::one_never_reports_and_is_stopped(walk, &bureau, &third).await;
    monitoring::silence_and_little_spending_are_flagged(walk, &bureau, &second).await;
    monitoring::a_visit_is_answered_late(walk, &bureau, &second).await;
    rules::grades_are_contested_or_settle(walk, &bureau, [&first, &second]).await;
    evaluations::one_ends_well(walk, &bureau, &first).await;
    let next = next_cycle::is_called(walk, &bureau).await;
    let entry =
        next_cycle::the_register_of_bans_is_read(walk, &bureau, &next, &third, &first).await;
    next_cycle::an_earlier_project_counts(walk, &bureau, &next, &entry, &database).await;
    next_cycle::a_ban_is_over_after_its_year(walk, &bureau, &third).await;
    let staff = walk.person("staff@demo.invalid").await;
    let verbs = [rules::VERBS, monitoring::VERBS].concat();
    happened(server, &staff, &verbs, &database).await;
}

async fn plans_payments_and_evaluations_go_every_other_way(database: Database) {
    let folder = database.folder.path();
    let demo = ["demo", "--until", "notice", "--database", &database.url];
    let played = run(folder, &demo);
    assert_eq!(played.status.code(), Some(0), "{}", err(&played));

    // The year passes under one sign-in.
    let lasting = ["--time-travel", "--token-days", "400"];
    let server = Server::start(folder, &database.url, &lasting);
    let mut walk = Walk {
        server: &server,
        seen: BTreeSet::new(),
    };
    let bureau = Bureau::open(&walk).await;
    let walk = &mut walk;
    let [first, second, third] = agreement::three_are_awarded(walk, &bureau).await;
    agreement::a_plan_is_sent_back_and_comes_again(walk, &bureau, &first).await;
    for case in [&second, &third] {
        agreement::planned(walk, &bureau, case).await;
    }
    agreement::signed(walk, &bureau, [&first, &second, &third]).await;
    agreement::three_people_handle_a_payment(walk, &bureau, &first).await;
    agreement::a_suspended_project_is_not_paid(walk, &bureau, &first).await;
    agreement::a_payment_is_held_and_released(walk, &bureau, &first).await;
    bureau.pay(walk, &second, 0, "2024-08-20").await;
    payments::an_account_is_checked_before_it_is_paid(walk, &bureau, &third).await;
    payments::sixteen_clients_cannot_overdraw_it(walk, &bureau, &third, &database).await;
    payments::a_tranche_is_cut(walk, &bureau, &second).await;
    agreement::launched(walk, &bureau, [&first, &second, &third]).await;

    reports::changes_are_refused_and_taken_back(walk, &bureau, [&second, &third]).await;
    reports::a_report_is_returned_and_another_is_late(walk, &bureau, [&second, &third]).await;

    bureau.at(walk, "2024-12-16T09:00:00+08:00").await;
    evaluations::one_fails_half_way_and_a_grade_is_taken_back(
        walk,
        &bureau,
        [&first, &second, &third],
    )
    .await;
    ends::what_was_not_spent_comes_back(walk, &bureau, &first).await;
    bureau.pay(walk, &second, 1, "2025-01-20").await;

    bureau.at(walk, "2025-06-03T09:00:00+08:00").await;
    evaluations::one_puts_right_and_one_fails_at_the_end(walk, &bureau, [&second, &third]).await;
    ends::what_cannot_be_had_is_written_off(walk, &bureau, &third).await;
    ends::a_surplus_comes_back_and_the_project_closes(walk, &bureau, &second).await;
    // Recovered, closed and written off: all three have ended. Eleven still wait for their letters.
    let why = walk
        .refused(&bureau.lead, &bureau.cycle, "close", json!({}))
        .await;
    assert_eq!(why, "nothing_cleared");

    // What the journal holds, and not what was asked for.
    walk.seen.clear();
    walk.read_journals(&bureau.staff).await;
    let missing: Vec<&&str> = VERBS
        .iter()
        .filter(|verb| !walk.seen.contains(**verb))
        .collect();
    assert!(missing.is_empty(), "not in the journal: {missing:?}");
    drop(server);
    let replay = ["journal", "replay", "--check", "--database", &database.url];
    let replay = run(folder, &replay);
    let said = format!("{}{}", out(&replay), err(&replay));
    assert_eq!(replay.status.code(), Some(0), "{said}");
}
