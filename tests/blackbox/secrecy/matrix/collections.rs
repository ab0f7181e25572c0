//! Operations on many records: lists, what creates a record, and moves in bulk.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Matrix;
use crate::secrecy::reader::{Ask, Operation};

impl Matrix<'_> {
    /// A list holds what its reader may see, all of it and nothing else.
    pub(super) async fn list(&mut self, operation: &Operation) {
        let path = format!(
            "{}?limit=500&total=true&fields=id",
            self.reader.filled(&operation.path)
        );
        let ask = Ask::get(path);
        for person in 0..self.people.len() {
            let answer = self.ask(person, &ask).await;
            let open = self.people[person].token.is_some() || operation.is_public();
            self.expect(
                person,
                operation,
                &ask,
                &answer,
                &[if open { 200 } else { 401 }],
            );
            if !open {
                continue;
            }
            let page = answer.json();
            let listed: BTreeSet<&str> = page["items"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|one| one["id"].as_str())
                .collect();
            let who = &self.people[person];
            let mut lines = Vec::new();
            if page["total"] != json!(listed.len()) {
                lines.push(format!(
                    "{} {}: counts {} and shows {}",
                    who.name,
                    operation.id,
                    page["total"],
                    listed.len()
                ));
            }
            for record in self
                .specimens
                .iter()
                .filter(|one| one.kind.plural() == operation.plural())
            {
                if who.sees(record) != listed.contains(record.id.as_str()) {
                    lines.push(format!(
                        "{} {}: {} {} is listed: {}",
                        who.name,
                        operation.id,
                        record.stage,
                        record.id,
                        !who.sees(record)
                    ));
                }
            }
            self.wrong.extend(lines);
        }
    }

    pub(super) async fn creating(&mut self, operation: &Operation) {
        let ask = Ask::post(
            format!("{}?dry_run=true", self.reader.filled(&operation.path)),
            json!({}),
        );
        for person in 0..self.people.len() {
            let answer = self.ask(person, &ask).await;
            let who = &self.people[person];
            let wanted: &[u16] = if who.token.is_none() && !operation.is_public() {
                &[401]
            } else if operation.is_for(&who.roles(None)) {
                &[200, 409, 415, 422]
            } else {
                &[403]
            };
            self.expect(person, operation, &ask, &answer, wanted);
        }
    }

    /// In bulk, each is answered as it would be alone (P22).
    pub(super) async fn in_bulk(&mut self, operation: &Operation) {
        let verb = operation.path.rsplit('/').next().unwrap().to_owned();
        let plural = operation.plural().to_owned();
        let ids: Vec<String> = self
            .specimens
            .iter()
            .filter(|one| one.kind.plural() == plural)
            .map(|one| one.id.clone())
            .collect();
        if ids.is_empty() {
            self.asked += 1;
            return;
        }
        let items: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        let path = format!("{}?dry_run=true", self.reader.filled(&operation.path));
        let ask = Ask::post(path, json!({ "items": items }));
        for person in 0..self.people.len() {
            let answer = self.ask(person, &ask).await;
            if self.people[person].token.is_none() && !operation.is_public() {
                self.expect(person, operation, &ask, &answer, &[401]);
                continue;
            }
            self.expect(person, operation, &ask, &answer, &[200]);
            let results = answer.json()["results"].clone();
            for (index, id) in ids.iter().enumerate() {
                let single = Ask::post(format!("/v1/{plural}/{id}/{verb}?dry_run=true"), json!({}));
                let alone = self.ask(person, &single).await;
                if results[index]["status"] != json!(alone.status) {
                    let line = format!(
                        "{} {}: {} in bulk, {} alone: {}",
                        self.people[person].name,
                        operation.id,
                        results[index],
                        alone.status,
                        alone.body
                    );
                    self.wrong.push(line);
                }
            }
        }
    }
}
