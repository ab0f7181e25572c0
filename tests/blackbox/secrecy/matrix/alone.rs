//! Operations on no record: what they answer follows from the roles that they declare.

use serde_json::json;

use super::Matrix;
use crate::secrecy::reader::{Ask, Operation};

/// What an operation may answer to whoever may ask it something that is not there, or says nothing.
const DONE_OR_INCOMPLETE: &[u16] = &[200, 201, 202, 204, 400, 404, 409, 412, 415, 422, 428];

/// What ends the token that it is asked with.
const ENDS_TOKENS: &[&str] = &["sign_out", "sign_out_everywhere", "me.token.renew"];

/// What is published with the result: until then it is there for nobody.
const PUBLISHED_WITH_THE_RESULT: &[&str] = &["verification"];

impl Matrix<'_> {
    /// Asks everybody; those of no declared role are refused, all others are not.
    pub(super) async fn alone(&mut self, operation: &Operation) {
        let more = if operation.query.contains("dry_run") {
            "?dry_run=true"
        } else {
            ""
        };
        let path = self.reader.filled(&operation.path);
        let names_nothing = path.contains('{');
        let ask = Ask {
            method: operation.method.clone(),
            path: format!("{}{more}", self.reader.somewhere(&path)),
            body: operation.takes_json.then(|| json!({})),
        };
        for person in 0..self.people.len() {
            let who = &self.people[person];
            let signed_in = who.token.is_some();
            if ENDS_TOKENS.contains(&operation.id.as_str()) && signed_in {
                // They are needed for what follows.
                continue;
            }
            let wanted: &[u16] = if !signed_in && !operation.is_public() {
                &[401]
            } else if !operation.is_for(&who.roles_about_nothing(operation)) {
                &[403, 404]
            } else if operation.method != "GET" || names_nothing || operation.asks_more {
                DONE_OR_INCOMPLETE
            } else if self.is_under_way
                && PUBLISHED_WITH_THE_RESULT.contains(&operation.id.as_str())
            {
                &[404]
            } else {
                &[200]
            };
            let answer = self.ask(person, &ask).await;
            self.expect(person, operation, &ask, &answer, wanted);
        }
    }
}
