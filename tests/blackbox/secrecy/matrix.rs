//! The authorisation matrix: every operation of the API's own document, asked by everybody, is answered
//! as the declarations say. What an operation may is declared by its roles, what there is to see by the
//! sights of its kind; this test works out for itself who is what to which record. Nothing has to be
//! added here for a new operation, verb, kind or stage.

mod alone;
mod collections;
mod on_records;
mod people;
mod specimens;

use fundcycle_test_support::{Database, on_both};

use self::people::{Person, everybody};
use self::specimens::{Specimen, collect};
use super::reader::{Answer, Ask, Operation, Reader};
use crate::desk::{Desk, PAPER};
use crate::review_ways::{checked_for_eligibility, played_until};

on_both!(
    every_operation_answers_everybody_as_declared_while_a_round_is_open,
    every_operation_answers_everybody_as_declared_after_the_close,
);

struct Matrix<'a> {
    reader: Reader<'a>,
    people: Vec<Person>,
    specimens: Vec<Specimen>,
    /// Whether the result of the cycle is not published yet.
    is_under_way: bool,
    /// What was not as declared.
    wrong: Vec<String>,
    asked: usize,
}

async fn every_operation_answers_everybody_as_declared_while_a_round_is_open(database: Database) {
    let server = checked_for_eligibility(&database);
    let desk = Desk::open(&server, &["staff", "org01", "org02", "expert1", "expert2"]).await;
    let found = desk.applications(&["org01", "org02"]).await;
    desk.all("staff", &desk.path(""), &["open_review"]).await;
    let panel = desk.forms("paper_review", &["expert1", "expert2"]).await;
    let both: Vec<&String> = found.iter().collect();
    desk.does(
        "staff",
        &panel,
        "assign",
        desk.pairs(&["expert1", "expert2"], &both),
    )
    .await;
    desk.all("staff", &panel, &["open"]).await;
    desk.scores("expert2", &found[0], PAPER, 60).await;
    let matrix = Matrix::of(&desk, true).await;
    assert!(
        matrix.people.iter().any(|one| one.assigned.len() == 2),
        "nobody is assigned"
    );
    matrix.check().await;
}

async fn every_operation_answers_everybody_as_declared_after_the_close(database: Database) {
    let server = played_until(&database, "close");
    let desk = Desk::open(&server, &["staff"]).await;
    Matrix::of(&desk, false).await.check().await;
}

impl<'a> Matrix<'a> {
    async fn of(desk: &Desk<'a>, is_under_way: bool) -> Self {
        let cycle = desk.path("").trim_start_matches("/v1/cycles/").to_owned();
        let mut people = everybody(desk).await;
        let mut reader = Reader::new(desk.server(), &cycle).await;
        let tokens: Vec<Option<&str>> = people.iter().map(|one| one.token.as_deref()).collect();
        reader.look(&tokens).await;
        let specimens = collect(&reader, &mut people).await;
        Self {
            reader,
            people,
            specimens,
            is_under_way,
            wrong: Vec::new(),
            asked: 0,
        }
    }

    async fn check(mut self) {
        let operations = self.reader.operations.clone();
        for operation in &operations {
            assert!(
                !operation.roles.is_empty(),
                "{} declares no rule: say `.roles(…)` where it is declared, in crates/service/src/api",
                operation.id
            );
            let before = self.asked;
            if !operation.is_about_records() {
                self.alone(operation).await;
            } else if operation.path.contains("/bulk/") {
                self.in_bulk(operation).await;
            } else if operation.path.contains("{id}") {
                self.on_records(operation).await;
            } else if operation.query.contains("cursor") {
                self.list(operation).await;
            } else if operation.query.contains("dry_run") {
                self.creating(operation).await;
            } else {
                self.alone(operation).await;
            }
            assert!(before < self.asked, "{} was asked of nobody", operation.id);
        }
        assert!(self.asked > 3_000, "only {} cells", self.asked);
        let wrong = self.wrong;
        assert!(
            wrong.is_empty(),
            "{} of {} cells are not as declared (roles: crates/service/src/api; sights and flows: \
             crates/core; what is asked: tests/blackbox/secrecy/matrix):\n{}",
            wrong.len(),
            self.asked,
            wrong[..wrong.len().min(20)].join("\n")
        );
    }

    async fn ask(&mut self, person: usize, ask: &Ask) -> Answer {
        self.asked += 1;
        let token = self.people[person].token.clone();
        self.reader.ask(token.as_deref(), ask).await
    }

    fn expect(
        &mut self,
        person: usize,
        operation: &Operation,
        ask: &Ask,
        answer: &Answer,
        wanted: &[u16],
    ) {
        if !wanted.contains(&answer.status) {
            let start: String = answer.body.chars().take(300).collect();
            self.wrong.push(format!(
                "{} {}: {} {} is {}, not {wanted:?}: {start}",
                self.people[person].name, operation.id, ask.method, ask.path, answer.status
            ));
        }
    }
}
