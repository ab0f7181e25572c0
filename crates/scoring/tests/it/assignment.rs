//! Assignment against proven optima and brute force.

use std::collections::BTreeSet;

use fundcycle_scoring::{
    Affinity, Assignment, AssignmentError, AssignmentProblem, Cause, Exact, Fairness, Pair, Rooms,
    assign,
};
use proptest::prelude::*;

use crate::anchors::rows;

fn names(prefix: &str, count: usize) -> Vec<String> {
    (1..=count)
        .map(|index| format!("{prefix}{index}"))
        .collect()
}

fn affinity(application: usize, expert: usize, value: i128) -> Affinity {
    Affinity {
        application: format!("a{}", application + 1),
        expert: format!("e{}", expert + 1),
        affinity: Exact::ratio(value, 4).unwrap(),
    }
}

fn pair(application: &str, expert: &str) -> Pair {
    Pair {
        application: application.to_owned(),
        expert: expert.to_owned(),
    }
}

#[test]
fn real_assignments_reach_the_proven_optima() {
    let cases: serde_json::Value =
        serde_json::from_str(include_str!("../vectors/anchors/assign.json")).unwrap();
    for (name, text) in [
        (
            "assign_preflib1.csv",
            include_str!("../vectors/anchors/assign_preflib1.csv"),
        ),
        (
            "assign_sigir_query.csv",
            include_str!("../vectors/anchors/assign_sigir_query.csv"),
        ),
    ] {
        let case = &cases["cases"][name];
        let number = |key: &str| case[key].as_u64().unwrap();
        let affinities: Vec<Affinity> = rows(text)
            .into_iter()
            .map(|row| Affinity {
                application: row["application"].clone(),
                expert: row["expert"].clone(),
                affinity: row["affinity"].parse().unwrap(),
            })
            .collect();
        let count = |key: &str| usize::try_from(number(key)).unwrap();
        let mut problem = AssignmentProblem {
            applications: names("a", count("applications")),
            experts: names("e", count("experts")),
            affinities: affinities.clone(),
            per_application: u32::try_from(number("per_application")).unwrap(),
            max_load: u32::try_from(number("max_load")).unwrap(),
            ..AssignmentProblem::default()
        };
        let optimum: Exact = case["optimum"].to_string().parse().unwrap();
        let best = assign(&problem).unwrap();
        assert_eq!(best.objective, optimum, "{name}");
        assert_eq!(best.bound, optimum, "{name}");
        problem.fairness = Fairness::WorstFirst;
        let fair = assign(&problem).unwrap();
        let least: Exact = case["minimum_application_affinity_at_optimum"]
            .to_string()
            .parse()
            .unwrap();
        assert!(least <= fair.minimum_application_affinity, "{name}");
        assert_eq!(
            Some(&fair.minimum_application_affinity),
            fair.minimum_bound.as_ref(),
            "{name}"
        );
        assert_eq!(fair.objective, fair.bound, "{name}");
    }
}

/// A problem small enough to try everything.
#[derive(Clone, Debug)]
struct Small {
    problem: AssignmentProblem,
    values: Vec<Vec<Option<i128>>>,
}

fn small() -> impl Strategy<Value = Small> {
    let sizes = (1..5_usize, 2..5_usize, 1..3_u32, 1..5_u32, 0..3_u32);
    sizes.prop_flat_map(|(a, e, each, max, min)| {
        let value = prop_oneof![4 => (0..9_i128).prop_map(Some), 1 => Just(None)];
        let rows = prop::collection::vec(prop::collection::vec(value, e), a);
        rows.prop_map(move |values| {
            let cells = values.iter().enumerate().flat_map(|(application, row)| {
                row.iter()
                    .enumerate()
                    .map(move |(expert, value)| (application, expert, *value))
            });
            let problem = AssignmentProblem {
                applications: names("a", a),
                experts: names("e", e),
                affinities: cells
                    .clone()
                    .filter_map(|(application, expert, value)| {
                        Some(affinity(application, expert, value?))
                    })
                    .collect(),
                conflicts: cells
                    .filter(|(_, _, value)| value.is_none())
                    .map(|(application, expert, _)| {
                        pair(
                            &format!("a{}", application + 1),
                            &format!("e{}", expert + 1),
                        )
                    })
                    .collect(),
                per_application: each,
                max_load: max.max(min),
                min_load: min,
                ..AssignmentProblem::default()
            };
            Small { problem, values }
        })
    })
}

/// The best (total, least) and the best (least, total) of all assignments, in quarters.
fn brute_force(small: &Small) -> Option<((i128, i128), (i128, i128))> {
    let experts = small.problem.experts.len();
    let sets: Vec<usize> = (0..1_usize << experts)
        .filter(|set| set.count_ones() == small.problem.per_application)
        .collect();
    let mut best: Option<((i128, i128), (i128, i128))> = None;
    let mut todo = vec![(0, vec![0_u32; experts], 0_i128, i128::MAX)];
    while let Some((application, loads, total, least)) = todo.pop() {
        let Some(row) = small.values.get(application) else {
            if loads.iter().all(|load| small.problem.min_load <= *load) {
                let (a, b) = best.unwrap_or(((total, least), (least, total)));
                best = Some((a.max((total, least)), b.max((least, total))));
            }
            continue;
        };
        for set in &sets {
            let chosen: Vec<usize> = (0..experts)
                .filter(|expert| set >> expert & 1 == 1)
                .collect();
            let Some(sum) = chosen
                .iter()
                .map(|expert| row[*expert])
                .sum::<Option<i128>>()
            else {
                continue;
            };
            let mut loads = loads.clone();
            for expert in chosen {
                loads[expert] += 1;
            }
            if loads.iter().all(|load| *load <= small.problem.max_load) {
                todo.push((application + 1, loads, total + sum, least.min(sum)));
            }
        }
    }
    best
}

fn assert_valid(problem: &AssignmentProblem, assignment: &Assignment) {
    let pairs: BTreeSet<Pair> = assignment
        .pairs
        .iter()
        .map(|p| pair(&p.application, &p.expert))
        .collect();
    assert_eq!(pairs.len(), assignment.pairs.len(), "no pair twice");
    assert!(
        problem
            .conflicts
            .iter()
            .all(|conflict| !pairs.contains(conflict))
    );
    assert!(problem.keep.iter().all(|kept| pairs.contains(kept)));
    for application in &problem.applications {
        let own = pairs
            .iter()
            .filter(|pair| &pair.application == application)
            .count();
        assert_eq!(own, problem.per_application as usize);
    }
    for expert in &problem.experts {
        let load = pairs.iter().filter(|pair| &pair.expert == expert).count();
        assert!((problem.min_load as usize..=problem.max_load as usize).contains(&load));
    }
    let total: Exact = assignment.pairs.iter().map(|pair| &pair.affinity).sum();
    assert_eq!(total, assignment.objective);
}

/// The problem of some applications alone, whatever the minimum load.
fn only(problem: &AssignmentProblem, applications: &[String]) -> AssignmentProblem {
    let of_these = |application: &String| applications.contains(application);
    let mut problem = AssignmentProblem {
        applications: applications.to_vec(),
        min_load: 0,
        ..problem.clone()
    };
    problem
        .affinities
        .retain(|pair| of_these(&pair.application));
    problem.conflicts.retain(|pair| of_these(&pair.application));
    problem.keep.retain(|pair| of_these(&pair.application));
    problem
}

/// The applications of a cause cannot be assigned by themselves, and without any one of them they can.
fn assert_minimal(problem: &AssignmentProblem, cause: &Cause) {
    assert!(
        assign(&only(problem, &cause.applications)).is_err(),
        "{cause}"
    );
    for without in &cause.applications {
        let mut rest = cause.applications.clone();
        rest.retain(|application| application != without);
        assert!(
            rest.is_empty() || assign(&only(problem, &rest)).is_ok(),
            "{cause} holds without {without}"
        );
    }
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(500)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_assignment_is_valid_and_as_good_as_brute_force(small in small(), seed in prop::option::of(any::<[u8; 4]>())) {
        let mut problem = small.problem.clone();
        problem.seed = seed.map(Vec::from);
        let quarters = |value: i128| Exact::ratio(value, 4).unwrap();
        match (assign(&problem), brute_force(&small)) {
            (Ok(best), Some(((total, _), (least, total_of_fair)))) => {
                assert_valid(&problem, &best);
                prop_assert_eq!(&best.objective, &quarters(total));
                prop_assert_eq!(&best.bound, &quarters(total));
                problem.fairness = Fairness::WorstFirst;
                let fair = assign(&problem).unwrap();
                assert_valid(&problem, &fair);
                prop_assert_eq!(&fair.minimum_application_affinity, &quarters(least));
                prop_assert_eq!(fair.minimum_bound, Some(quarters(least)));
                prop_assert_eq!(&fair.objective, &quarters(total_of_fair));
                prop_assert_eq!(&fair.bound, &quarters(total_of_fair));
            }
            (Err(AssignmentError::Infeasible(cause)), None) => {
                prop_assert!(cause.possible < cause.needed, "{cause}");
                if !cause.idle {
                    assert_minimal(&problem, &cause);
                }
            }
            (ours, theirs) => prop_assert!(false, "{ours:?} but brute force {theirs:?}"),
        }
    }

    #[test]
    fn pairs_that_are_kept_stay_or_are_part_of_the_cause(small in small(), which in any::<u16>()) {
        let mut problem = AssignmentProblem { min_load: 0, ..small.problem };
        let forbidden: BTreeSet<&Pair> = problem.conflicts.iter().collect();
        let pairs = problem.applications.iter().flat_map(|application| {
            problem.experts.iter().map(|expert| pair(application, expert))
        });
        // Some allowed pairs, no more of an application or of an expert than the limits let.
        let mut keep: Vec<Pair> = Vec::new();
        for (at, one) in pairs.enumerate() {
            let own = keep.iter().filter(|kept| kept.application == one.application).count();
            let load = keep.iter().filter(|kept| kept.expert == one.expert).count();
            let fits = own < problem.per_application as usize && load < problem.max_load as usize;
            if which >> (at % 16) & 1 == 1 && fits && !forbidden.contains(&one) {
                keep.push(one);
            }
        }
        problem.keep = keep;
        match assign(&problem) {
            Ok(assignment) => assert_valid(&problem, &assignment),
            Err(AssignmentError::Infeasible(cause)) => {
                prop_assert!(cause.possible < cause.needed, "{cause}");
                assert_minimal(&problem, &cause);
            }
            Err(faults) => prop_assert!(false, "{faults}"),
        }
    }

    #[test]
    fn pairs_that_are_kept_cost_no_more_than_they_must(small in small()) {
        let Ok(free) = assign(&small.problem) else { return Ok(()) };
        // Keeping what was best anyway changes nothing about the total.
        let kept = free.pairs.iter().step_by(2).map(|p| pair(&p.application, &p.expert)).collect();
        let problem = AssignmentProblem { keep: kept, ..small.problem };
        let again = assign(&problem).unwrap();
        assert_valid(&problem, &again);
        prop_assert_eq!(&again.objective, &free.objective);
        prop_assert_eq!(again.bound, free.objective);
    }
}

#[test]
fn an_impossible_assignment_names_who_shares_too_few_experts() {
    // a2 to a5 may have only e1 to e3, each twice: 6 of the 8 reviews they need.
    let conflicts = ["a2", "a3", "a4", "a5"]
        .iter()
        .flat_map(|a| ["e4", "e5", "e6", "e7"].iter().map(move |e| pair(a, e)))
        .collect();
    let problem = AssignmentProblem {
        applications: names("a", 6),
        experts: names("e", 7),
        conflicts,
        per_application: 2,
        max_load: 2,
        ..AssignmentProblem::default()
    };
    let error = assign(&problem).unwrap_err();
    assert_eq!(
        error.to_string(),
        "these 4 applications (a2, a3, a4, a5) share only 3 eligible experts (e1, e2, e3), \
         who can give 6 of the 8 reviews they need"
    );
}

#[test]
fn an_application_with_too_few_experts_is_named_alone() {
    let problem = AssignmentProblem {
        applications: names("a", 2),
        experts: names("e", 3),
        conflicts: vec![pair("a2", "e1"), pair("a2", "e3")],
        per_application: 2,
        max_load: 2,
        ..AssignmentProblem::default()
    };
    let error = assign(&problem).unwrap_err();
    assert_eq!(
        error.to_string(),
        "application a2 needs 2 experts and has only 1: e2"
    );
}

#[test]
fn a_minimum_load_that_cannot_be_filled_names_the_experts() {
    let problem = AssignmentProblem {
        applications: names("a", 3),
        experts: names("e", 3),
        conflicts: vec![pair("a1", "e2"), pair("a2", "e2")],
        per_application: 2,
        max_load: 3,
        min_load: 2,
        ..AssignmentProblem::default()
    };
    let error = assign(&problem).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expert e2 must review 2, but only 1 can be given to it"
    );
}

#[test]
fn an_application_with_a_room_gets_experts_of_that_room() {
    let room = |names: &[&str], room: &str| -> Vec<(String, String)> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), room.to_owned()))
            .collect()
    };
    let problem = AssignmentProblem {
        applications: names("a", 2),
        experts: names("e", 4),
        affinities: vec![affinity(0, 2, 9), affinity(1, 0, 9)],
        rooms: Rooms {
            applications: [room(&["a1"], "east"), room(&["a2"], "west")]
                .concat()
                .into_iter()
                .collect(),
            experts: [room(&["e1", "e2"], "east"), room(&["e3", "e4"], "west")]
                .concat()
                .into_iter()
                .collect(),
        },
        per_application: 2,
        max_load: 2,
        ..AssignmentProblem::default()
    };
    let pairs: Vec<(String, String)> = assign(&problem)
        .unwrap()
        .pairs
        .into_iter()
        .map(|p| (p.application, p.expert))
        .collect();
    let expected = [("a1", "e1"), ("a1", "e2"), ("a2", "e3"), ("a2", "e4")];
    assert_eq!(pairs, expected.map(|(a, e)| (a.to_owned(), e.to_owned())));
}
