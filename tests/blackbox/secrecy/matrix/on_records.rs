//! Operations on one record: moves, and what is read of it.

use serde_json::json;

use super::Matrix;
use crate::secrecy::reader::{Ask, NOWHERE, Operation};

impl Matrix<'_> {
    /// Every record there is, and one that there is not.
    pub(super) async fn on_records(&mut self, operation: &Operation) {
        let places: Vec<usize> = (0..self.specimens.len())
            .filter(|place| self.specimens[*place].kind.plural() == operation.plural())
            .collect();
        let (base, verb) = operation.path.split_once("{id}").unwrap();
        let readers = |one: &&Operation| {
            one.method == "GET" && one.path == format!("/v1/{}/{{id}}", operation.plural())
        };
        let readers = self.reader.operations.iter().find(readers);
        let is_narrower = readers.is_some_and(|get| !get.roles.is_subset(&operation.roles));
        let is_upload = operation.method == "POST" && verb == "/attachments";
        for person in 0..self.people.len() {
            let signed_in = self.people[person].token.is_some();
            let public = operation.is_public();
            let mut nothing = None;
            let nowhere = NOWHERE.to_owned();
            for place in [None].into_iter().chain(places.iter().copied().map(Some)) {
                let id = place.map_or(&nowhere, |place| &self.specimens[place].id);
                let dry = operation.query.contains("dry_run");
                let more = match (dry, is_upload) {
                    (true, true) => "?dry_run=true&name=a.txt",
                    (true, false) => "?dry_run=true",
                    _ => "",
                };
                let body = (operation.takes_json || is_upload).then(|| json!({}));
                let ask = Ask {
                    method: operation.method.clone(),
                    path: format!("{base}{id}{verb}{more}"),
                    body,
                };
                let answer = self.ask(person, &ask).await;
                let Some(place) = place else {
                    let wanted = if signed_in || public { 404 } else { 401 };
                    self.expect(person, operation, &ask, &answer, &[wanted]);
                    nothing = Some(answer);
                    continue;
                };
                let (who, record) = (&self.people[person], &self.specimens[place]);
                let seen = who.sees(record);
                let wanted: Vec<u16> = if !signed_in && !public {
                    vec![401]
                } else if !seen {
                    // R26, F9: to the byte what is answered where there is nothing.
                    if nothing.as_ref() != Some(&answer) {
                        let line = format!(
                            "{} {} {}: {answer:?} tells that it is there",
                            who.name, operation.id, ask.path
                        );
                        self.wrong.push(line);
                    }
                    vec![404]
                } else if operation.path.contains("/documents/") {
                    // It may not be written yet; who is not meant to read it never learns whether.
                    let meant = who.may_in_another_stage(operation, record);
                    if meant { vec![200, 404] } else { vec![404] }
                } else if operation.method == "GET" {
                    // What is read below a record may be for fewer than the record, and be there later.
                    match (is_narrower, who.may_in_another_stage(operation, record)) {
                        (false, _) => vec![200],
                        (true, true) => vec![200, 404],
                        (true, false) => vec![403, 404],
                    }
                } else if who.may(operation, record) {
                    vec![200, 204, 409, 412, 415, 422, 428]
                } else if who.may_in_another_stage(operation, record) {
                    vec![403, 409, 422]
                } else {
                    vec![403]
                };
                self.expect(person, operation, &ask, &answer, &wanted);
            }
        }
    }
}
