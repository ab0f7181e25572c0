//! Lists by SQL against the same lists by the core's own predicate, over random records and viewers.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Mutex;

use fundcycle_core::actor::{Actor, Grant, Role, Scope};
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_core::kinds::{Kind, Row, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::standing::{Blinding, Standing};
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_test_support::{Database, on_both, sql};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ListQuery, SortBy};
use crate::row;
use crate::store::{Options, Store};

on_both!(
    what_a_list_shows_is_what_the_viewer_may_see_in_order,
    every_list_is_found_by_an_index,
    letters_that_mean_something_in_a_pattern_mean_themselves
);

/// Few enough identities that records, grants and assignments meet.
const PEOPLE: u128 = 3;
const LABELS: [&str; 6] = ["", "Garden", "garden", "养老服务", "50%_off\\", "阳光"];

fn person(n: u128) -> Uuid {
    Uuid::from_u128(0x100 + n)
}

fn organisation(n: u128) -> Uuid {
    Uuid::from_u128(0x200 + n)
}

fn cycle(n: u128) -> Uuid {
    Uuid::from_u128(0x300 + n)
}

/// An id is of one kind and journal only, as it is in life.
fn id_of(kind: Kind, home: u128, n: u128) -> Uuid {
    let place = Kind::ALL.iter().position(|one| *one == kind).unwrap() as u128;
    Uuid::from_u128((place << 64) | (home << 32) | n)
}

fn any_application() -> impl Strategy<Value = Uuid> {
    (0u128..2, 0u128..20).prop_map(|(home, n)| id_of(Kind::Application, home, n))
}

/// Where the fields lie by which a kind is found, and what they hold.
fn found_by(
    kind: Kind,
    who: Uuid,
    org: Uuid,
    subject: Uuid,
    label: &str,
    number: u32,
) -> Vec<(&'static str, Value)> {
    match kind {
        Kind::Account => vec![("/holder", json!(who))],
        Kind::Expert => vec![("/account", json!(who)), ("/profile/name", json!(label))],
        Kind::Organisation => vec![("/profile/name", json!(label))],
        Kind::Cycle => vec![("/name", json!(label))],
        Kind::Policy => vec![("/number", json!(number))],
        Kind::Application => vec![
            ("/organisation", json!(org)),
            ("/form/title", json!(label)),
            ("/number", json!(number.to_string())),
            ("/form/domain", json!(format!("domain {}", number % 2))),
        ],
        Kind::Attachment | Kind::Objection => {
            vec![
                ("/organisation", json!(org)),
                ("/application", json!(subject)),
            ]
        }
        Kind::Sheet => vec![("/expert", json!(who)), ("/subject", json!(subject))],
        _ => Vec::new(),
    }
}

prop_compose! {
    fn any_state()(
        kind in select(Kind::ALL),
        id in 0u128..20,
        home in 0u128..2,
        stage in any::<Index>(),
        (who, org, subject) in (0..PEOPLE, 0..PEOPLE, any_application()),
        label in select(LABELS.as_slice()),
        number in 0u32..4,
        (created, updated) in (0i64..5, 0i64..5),
    ) -> State {
        let journal = if kind.is_registry() { REGISTRY } else { cycle(home) };
        let id = id_of(kind, home, id);
        let stages = kind.stages();
        let mut body = Value::Object(State::unborn(kind, id, journal).data());
        for (pointer, value) in found_by(kind, person(who), organisation(org), subject, label, number) {
            *body.pointer_mut(pointer).unwrap() = value;
        }
        let row = Row {
            id,
            journal,
            version: 1,
            stage: stages[stage.index(stages.len())].name,
            created_at: Timestamp(created),
            updated_at: Timestamp(created + updated),
            body: &body.to_string(),
        };
        State::restore(kind, row).unwrap()
    }
}

fn any_grant() -> impl Strategy<Value = Grant> {
    let scope = prop_oneof![
        1 => Just(Scope::Everywhere),
        4 => (0u128..2).prop_map(|n| Scope::Cycle(cycle(n))),
        4 => (0..PEOPLE).prop_map(|n| Scope::Organisation(organisation(n))),
    ];
    (select(Role::ALL), scope).prop_map(|(role, scope)| Grant { role, scope })
}

fn any_viewer() -> impl Strategy<Value = Viewer> {
    let account = (0..PEOPLE, prop::collection::btree_set(any_grant(), 0..3))
        .prop_map(|(who, grants)| Actor::account(person(who), grants));
    let actor = prop_oneof![1 => Just(Actor::public()), 1 => Just(Actor::system()), 8 => account];
    let blinding = select(vec![
        Blinding::Shown,
        Blinding::Blind(vec!["养老".to_owned()]),
    ]);
    let assigned = prop::collection::btree_map(any_application(), blinding, 0..9);
    let peers = prop::collection::btree_set(any_application(), 0..3);
    let interests = prop::collection::btree_set((0..PEOPLE).prop_map(organisation), 0..2);
    let barred = prop::collection::btree_set(any_application(), 0..2);
    (actor, assigned, peers, interests, barred).prop_map(
        |(actor, assigned, peers, interests, barred)| Viewer {
            actor,
            standing: Standing {
                assigned,
                peers,
                interests,
                barred,
                ..Standing::default()
            },
        },
    )
}

prop_compose! {
    fn any_query()(
        // Only accounts are seen by the eye of an administrator alone.
        kind in prop_oneof![6 => select(Kind::ALL), 1 => Just(Kind::Account)],
        journal in prop::option::weighted(0.7, prop_oneof![Just(REGISTRY), (0u128..2).prop_map(cycle)]),
        stage in prop::option::weighted(0.2, any::<Index>()),
        (parent, org, who) in (
            prop::option::weighted(0.1, any_application()),
            prop::option::weighted(0.1, (0..PEOPLE).prop_map(organisation)),
            prop::option::weighted(0.1, (0..PEOPLE).prop_map(person)),
        ),
        (number, label, facet) in (
            prop::option::weighted(0.1, (0u32..4).prop_map(|n| n.to_string())),
            prop::option::weighted(0.1, select(vec!["GARD", "养老", "%_", "\\"])),
            prop::option::weighted(0.1, Just("domain 1".to_owned())),
        ),
        updated_since in prop::option::weighted(0.1, (0i64..5).prop_map(Timestamp)),
        // By a column that their eye does not read, most viewers find nothing.
        sort in prop_oneof![Just(SortBy::CreatedAt), select(SortBy::ALL.as_slice())],
        descending in any::<bool>(),
        limit in 1u32..9,
    ) -> ListQuery {
        let stages = kind.stages();
        let stages = stage.map(|at| stages[at.index(stages.len())].name.to_owned()).into_iter().collect();
        ListQuery {
            kind, journal, stages, parent, organisation: org, person: who, facet, number,
            label_contains: label.map(str::to_owned), updated_since, sort, descending, limit, cursor: None,
        }
    }
}

/// What the list should be, by the core's predicate and plain filters.
fn expected(states: &[State], viewer: &Viewer, query: &ListQuery) -> Vec<Uuid> {
    let same = |wanted: Option<Uuid>, has: Option<Uuid>| wanted.is_none() || wanted == has;
    let mut found: Vec<&State> = states
        .iter()
        .filter(|state| {
            let index = state.index();
            state.kind() == query.kind
                && query
                    .journal
                    .is_none_or(|journal| state.journal() == journal)
                && (query.stages.is_empty()
                    || query.stages.iter().any(|stage| stage == state.stage()))
                && same(query.parent, index.parent)
                && same(query.organisation, index.organisation)
                && same(query.person, index.person)
                && query
                    .facet
                    .as_ref()
                    .is_none_or(|facet| index.facet.as_ref() == Some(facet))
                && query
                    .number
                    .as_ref()
                    .is_none_or(|number| index.number.as_ref() == Some(number))
                && query.label_contains.as_ref().is_none_or(|text| {
                    index.label.is_some_and(|label| {
                        label
                            .to_ascii_lowercase()
                            .contains(&text.to_ascii_lowercase())
                    })
                })
                && query
                    .updated_since
                    .is_none_or(|since| state.updated_at() >= since)
                && viewer.finds(state, &query.asked())
        })
        .collect();
    found.sort_by_key(|state| {
        let index = state.index();
        let (number, text) = match query.sort {
            SortBy::CreatedAt => (state.created_at().0, String::new()),
            SortBy::UpdatedAt => (state.updated_at().0, String::new()),
            SortBy::Amount => (index.amount.unwrap_or(i64::MIN), String::new()),
            SortBy::Label => (0, index.label.unwrap_or_default()),
            SortBy::Number => (0, index.number.unwrap_or_default()),
        };
        (number, text, state.id())
    });
    if query.descending {
        found.reverse();
    }
    found.into_iter().map(State::id).collect()
}

/// A database that does not count money: it would refuse the records that are made up here.
async fn fresh(database: &Database) -> Store {
    Store::migrate(&database.url).await.unwrap();
    let table = if database.is_postgres() {
        " ON state"
    } else {
        ""
    };
    for trigger in [
        "award_balance_opened",
        "award_balance_refunded",
        "tranche_counted",
        "tranche_recounted",
    ] {
        let drop = format!("DROP TRIGGER {trigger}{table}");
        sql(database, &drop).await.unwrap();
    }
    Store::open(
        &database.url,
        Options::silent(WorkingDayCalendar::china().unwrap()),
    )
    .await
    .unwrap()
}

async fn put(store: &Store, states: &[State]) {
    let mut tx = store.pool().write().await.unwrap();
    row::upsert(&mut tx.engine(), &states.iter().collect::<Vec<_>>())
        .await
        .unwrap();
    tx.commit()
        .await
        .map_err(|error| format!("{error:?}"))
        .unwrap();
}

/// Every page, one after the other.
async fn all_pages(store: &Store, viewer: &Viewer, query: &ListQuery) -> Vec<Uuid> {
    let mut query = query.clone();
    let mut ids = Vec::new();
    loop {
        let page = store.list(viewer, &query).await.unwrap();
        assert!(page.states.len() <= query.limit as usize);
        ids.extend(page.states.iter().map(State::id));
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return ids,
        }
    }
}

async fn what_a_list_shows_is_what_the_viewer_may_see_in_order(database: Database) {
    let store = fresh(&database).await;
    let mut runner = TestRunner::deterministic();
    let states: Vec<State> =
        std::iter::repeat_with(|| any_state().new_tree(&mut runner).unwrap().current())
            .take(1_200)
            .collect();
    // The last one of an id stands, as it does in the table.
    let by_id: std::collections::BTreeMap<Uuid, State> = states
        .into_iter()
        .map(|state| (state.id(), state))
        .collect();
    let states: Vec<State> = by_id.into_values().collect();
    put(&store, &states).await;

    let handle = tokio::runtime::Handle::current();
    let decisive = Mutex::new(BTreeSet::new());
    let config = Config {
        cases: 600 * 8,
        failure_persistence: None,
        ..Config::default()
    };
    let done = TestRunner::new(config).run(&(any_viewer(), any_query()), |(viewer, query)| {
        let (ids, count) = tokio::task::block_in_place(|| {
            handle.block_on(async {
                (
                    all_pages(&store, &viewer, &query).await,
                    store.count(&viewer, &query).await.unwrap(),
                )
            })
        });
        let expected = expected(&states, &viewer, &query);
        prop_assert_eq!(usize::try_from(count).unwrap(), expected.len());
        prop_assert_eq!(&ids, &expected);
        for state in states.iter().filter(|state| expected.contains(&state.id())) {
            let eyes = viewer.eyes(state);
            if eyes.len() == 1 {
                decisive.lock().unwrap().extend(eyes);
            }
        }
        Ok(())
    });
    done.unwrap();
    // The comparison means something only where each eye opened some list by itself.
    let decisive = decisive.into_inner().unwrap();
    for eye in [
        Eye::Public,
        Eye::Applicant,
        Eye::Holder,
        Eye::Expert,
        Eye::Staff,
        Eye::Organiser,
        Eye::Admin,
    ] {
        assert!(decisive.contains(&eye), "{eye}: {decisive:?}");
    }
}

async fn every_list_is_found_by_an_index(database: Database) {
    if database.is_postgres() {
        // Its planner rightly scans a small table; the indexes are the same.
        return;
    }
    let store = fresh(&database).await;
    let staff = Viewer::new(Actor::account(
        person(0),
        BTreeSet::from([Grant {
            role: Role::Staff,
            scope: Scope::Cycle(cycle(0)),
        }]),
    ));
    let applicant = Viewer::new(Actor::account(
        person(1),
        BTreeSet::from([Grant {
            role: Role::Applicant,
            scope: Scope::Organisation(organisation(1)),
        }]),
    ));
    let base = ListQuery::of(Kind::Application);
    let filters = [
        base.clone(),
        base.clone().within(cycle(0)),
        ListQuery {
            stages: vec!["submitted".to_owned()],
            ..base.clone().within(cycle(0))
        },
        ListQuery {
            parent: Some(cycle(1)),
            ..base.clone()
        },
        ListQuery {
            organisation: Some(organisation(1)),
            ..base.clone()
        },
        ListQuery {
            person: Some(person(1)),
            ..base.clone()
        },
        ListQuery {
            facet: Some("elderly".to_owned()),
            ..base.clone().within(cycle(0))
        },
        ListQuery {
            number: Some("WJ-2024-001".to_owned()),
            ..base.clone().within(cycle(0))
        },
        ListQuery {
            updated_since: Some(Timestamp(5)),
            ..base.clone().within(cycle(0))
        },
    ];
    for viewer in [&staff, &applicant] {
        for filter in &filters {
            for sort in SortBy::ALL {
                for descending in [false, true] {
                    let query = ListQuery {
                        sort,
                        descending,
                        ..filter.clone()
                    };
                    let plan = store.explain_list(viewer, &query).await.unwrap();
                    if plan.is_empty() && viewer == &applicant && query.parent.is_some() {
                        // An application is a part of nothing that an applicant could ask by.
                        continue;
                    }
                    let scans = plan.iter().any(|step| step.contains("SCAN state"));
                    assert!(
                        !scans
                            && plan
                                .iter()
                                .any(|step| step.starts_with("SEARCH state USING")),
                        "{query:?}: {plan:?}"
                    );
                }
            }
        }
        // A page of a cycle in any order is read off its index, without sorting.
        for sort in SortBy::ALL {
            let query = ListQuery {
                sort,
                descending: true,
                ..base.clone().within(cycle(0))
            };
            let plan = store.explain_list(viewer, &query).await.unwrap();
            assert!(
                !plan.iter().any(|step| step.contains("TEMP B-TREE")),
                "{sort:?}: {plan:?}"
            );
        }
    }
}

async fn letters_that_mean_something_in_a_pattern_mean_themselves(database: Database) {
    let store = fresh(&database).await;
    let cycles: Vec<State> = LABELS
        .iter()
        .zip(0u128..)
        .map(|(label, n)| {
            let mut body = State::unborn(Kind::Cycle, cycle(n), cycle(n)).data();
            body.insert("name".to_owned(), json!(label));
            let body = Value::Object(body).to_string();
            let at = Timestamp(0);
            State::restore(
                Kind::Cycle,
                Row {
                    id: cycle(n),
                    journal: cycle(n),
                    version: 1,
                    stage: "preparing",
                    created_at: at,
                    updated_at: at,
                    body: &body,
                },
            )
            .unwrap()
        })
        .collect();
    put(&store, &cycles).await;
    let admin = Viewer::new(Actor::account(
        person(0),
        BTreeSet::from([Grant {
            role: Role::Admin,
            scope: Scope::Everywhere,
        }]),
    ));
    for (text, found) in [
        ("garden", vec![1, 2]),
        ("%", vec![4]),
        ("_", vec![4]),
        ("\\", vec![4]),
        ("老服", vec![3]),
        ("' OR 1=1", vec![]),
    ] {
        let query = ListQuery {
            label_contains: Some(text.to_owned()),
            ..ListQuery::of(Kind::Cycle)
        };
        let ids = all_pages(&store, &admin, &query).await;
        assert_eq!(
            ids,
            found.into_iter().map(cycle).collect::<Vec<_>>(),
            "{text}"
        );
    }
}
