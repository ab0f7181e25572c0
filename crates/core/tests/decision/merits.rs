//! What an organisation's projects are worth in later cycles: noted when a final grade takes effect, counted
//! where the policy says so.

use fundcycle_core::actor::Actor;
use fundcycle_core::kinds::Kind;
use fundcycle_core::organisation::Organisation;
use fundcycle_core::selection::{Input, Selection};
use fundcycle_scoring::Exact;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{Bid, Play, bid, organisation, staff, why};
use crate::running::{active_in, evaluated, pay, tranches, with_policy};

const BIDS: &[Bid] = &[
    bid(10_000, "90", "80"),
    bid(9_000, "80", "90"),
    bid(8_000, "70", "75"),
];

fn merit(play: &mut Play, day: &str, index: usize, points: &str) {
    let now = play.now;
    play.at(day);
    let project = play.fresh();
    let body = json!({
        "cycle": Uuid::from_u128(5), "project": project, "grade": "优秀", "points": points,
    });
    let id = organisation(index);
    play.does(&Actor::system(), Kind::Organisation, id, "note_merit", body);
    play.now = now;
}

/// What each brings to a selection under rules that count earlier projects, if `counted`.
fn inputs(counted: bool, merits: &[(&str, usize, &str)]) -> (Play, Uuid, Vec<Input>) {
    let mut play = Play::at_selection(BIDS, |policy: &mut Value| {
        policy["selection"]["budget"] = json!("20000");
        policy["ranking"]["earlier_projects"] = if counted {
            json!({ "most": "3", "days": 730 })
        } else {
            Value::Null
        };
    });
    for (day, index, points) in merits {
        merit(&mut play, day, *index, points);
    }
    let selection = play.fresh();
    play.does(&staff(), Kind::Selection, selection, "compute", json!({}));
    let mut inputs = play.get::<Selection>(selection).data.run.inputs.clone();
    inputs.sort_by_key(|input| input.organisation);
    (play, selection, inputs)
}

#[test]
fn earlier_projects_add_to_the_score_what_the_policy_counts() {
    // The call closes on 31 May 2024, 17:00; 730 days before that is 1 June 2022.
    let merits = [
        ("2022-06-01T16:59:59+08:00", 2, "1"),
        ("2023-10-01T09:00:00+08:00", 1, "2"),
        ("2024-05-31T17:00:00+08:00", 1, "2"),
        ("2024-05-31T17:00:01+08:00", 0, "1"),
    ];
    let (_, _, plain) = inputs(false, &merits);
    let (mut play, selection, counted) = inputs(true, &merits);
    assert_eq!(
        counted
            .iter()
            .map(|input| input.earlier.len())
            .collect::<Vec<_>>(),
        [0, 2, 0]
    );
    assert!(plain.iter().all(|input| input.earlier.is_empty()));
    let lines = &play.get::<Selection>(selection).data.run.lines;
    for (with, without) in counted.iter().zip(&plain) {
        let line = lines
            .iter()
            .find(|line| line.number == with.number)
            .unwrap();
        assert_eq!(with.score, &without.score + &line.bonus);
        assert_eq!(with.rounds, without.rounds);
        // Two and two are more than the most, three.
        let most = if with.earlier.is_empty() { 0 } else { 3 };
        assert_eq!(line.bonus, Exact::from_integer(most));
    }
    // What was computed without a merit that counts is computed again.
    merit(&mut play, "2024-05-30T09:00:00+08:00", 2, "1");
    let propose = play.ask(&staff(), Kind::Selection, selection, "propose", json!({}));
    assert_eq!(why(propose), "inputs_hold");
}

#[test]
fn the_grade_of_a_project_that_ended_well_is_noted_with_its_organisation() {
    let mut play = with_policy(|policy| {
        policy["evaluation"]["grades"][0]["bonus"] = json!("2");
        policy["evaluation"]["grades"][1]["bonus"] = json!("0");
    });
    let project = active_in(&mut play);
    let merits = |play: &Play| {
        play.get::<Organisation>(organisation(0))
            .data
            .merits
            .clone()
    };
    let [first, second, _] = tranches(project);
    pay(&mut play, first);
    evaluated(&mut play, project, "midterm", "95");
    assert_eq!(merits(&play), []);
    pay(&mut play, second);
    evaluated(&mut play, project, "final", "95");
    let noted = merits(&play);
    assert_eq!(noted.len(), 1);
    assert_eq!(
        (noted[0].project, noted[0].grade.as_str(), &noted[0].points),
        (project, "优秀", &Exact::from_integer(2))
    );
    assert_eq!(noted[0].noted_at, play.now);
}
