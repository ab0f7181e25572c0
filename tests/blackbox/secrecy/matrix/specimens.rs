//! What there is to ask for: records of every kind, as whoever sees most of them sees them.

use std::collections::BTreeMap;

use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use serde_json::Value;

use super::people::Person;
use crate::secrecy::reader::{Ask, Reader};

/// A record, as somebody who sees all of it sees it.
pub(super) struct Specimen {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) stage: String,
    pub(super) organisation: Option<String>,
    pub(super) person: Option<String>,
    pub(super) parent: Option<String>,
}

/// A record of every kind in each stage, and some of those who ask. Notes of the people what the records
/// say of them: of which organisation they are, and what is assigned to them.
pub(super) async fn collect(reader: &Reader<'_>, people: &mut [Person]) -> Vec<Specimen> {
    let mut panels: BTreeMap<String, String> = BTreeMap::new();
    let mut sheets: Vec<Value> = Vec::new();
    let mut specimens = Vec::new();
    for kind in Kind::ALL {
        let mut per_stage: BTreeMap<String, usize> = BTreeMap::new();
        for id in reader.ids_of(kind.plural()) {
            let Some(seen) = seen_by_most(reader, people, *kind, id).await else {
                continue;
            };
            let record = specimen(*kind, id, &seen);
            match kind {
                Kind::Panel => drop(panels.insert(id.clone(), record.stage.clone())),
                Kind::Sheet => sheets.push(seen),
                Kind::Organisation => {
                    let members = seen["members"].as_object().unwrap();
                    let is_member = |one: &&mut Person| {
                        let account = one.account.as_ref();
                        account.is_some_and(|account| members.contains_key(account))
                    };
                    for person in people.iter_mut().filter(is_member) {
                        person.organisation = Some(id.clone());
                    }
                }
                _ => {}
            }
            let own = people.iter().any(|one| {
                (one.organisation.is_some() && one.organisation == record.organisation)
                    || (one.account.is_some() && one.account == record.person)
            });
            let count = per_stage.entry(record.stage.clone()).or_default();
            *count += 1;
            if *count <= 1 || (own && *count <= 3) {
                specimens.push(record);
            }
        }
    }
    assign(people, &panels, &sheets);
    specimens
}

/// Notes who has a live sheet in an open round, and on what.
fn assign(people: &mut [Person], panels: &BTreeMap<String, String>, sheets: &[Value]) {
    for sheet in sheets {
        let panel = sheet["panel"].as_str().and_then(|id| panels.get(id));
        let open = panel.is_some_and(|stage| stage == "open");
        let live = !["recused", "void"].contains(&sheet["stage"].as_str().unwrap());
        for person in people.iter_mut().filter(|_| open && live) {
            if person.account.as_deref() == sheet["expert"].as_str() {
                let subject = sheet["subject"].as_str().unwrap();
                person.assigned.insert(subject.to_owned());
            }
        }
    }
}

fn specimen(kind: Kind, id: &str, seen: &Value) -> Specimen {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Specimen {
        kind,
        id: id.to_owned(),
        stage: text(&seen["stage"]).unwrap(),
        organisation: match kind {
            Kind::Organisation => Some(id.to_owned()),
            _ => text(&seen["organisation"]).or_else(|| text(&seen["turn"]["organisation"])),
        },
        person: match kind {
            Kind::Account => Some(id.to_owned()),
            Kind::Expert => text(&seen["account"]),
            Kind::Sheet => text(&seen["expert"]),
            _ => None,
        },
        parent: ["subject", "application", "project"]
            .iter()
            .find_map(|name| text(&seen[*name])),
    }
}

async fn seen_by_most(
    reader: &Reader<'_>,
    people: &[Person],
    kind: Kind,
    id: &str,
) -> Option<Value> {
    let mut most = None;
    for person in people {
        let ask = Ask::get(format!("/v1/{}/{id}", kind.plural()));
        let answer = reader.ask(person.token.as_deref(), &ask).await;
        let members = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
        if answer.status == 200
            && most
                .as_ref()
                .is_none_or(|one| members(one) < members(&answer.json()))
        {
            most = Some(answer.json());
        }
    }
    most
}
