//! Who asks, and what each of them is to a record: worked out anew from the declarations of core.

use std::collections::BTreeSet;

use fundcycle_core::actor::Role;
use fundcycle_core::kinds::{AnyMove, Kind};
use fundcycle_core::visibility::Eye;

use super::specimens::Specimen;
use crate::desk::Desk;
use crate::office::register;
use crate::secrecy::reader::Operation;

/// Those of the bureau: a name, and the role that they were granted in the cycle, or everywhere: the
/// administrator.
const BUREAU: &[(&str, Role)] = &[
    ("staff", Role::Staff),
    ("lead", Role::Lead),
    ("finance", Role::Finance),
    ("auditor", Role::Auditor),
    ("admin", Role::Admin),
];
/// Those of two organisations, an expert who has a sheet while the round is open, and one who has none.
const OTHERS: &[&str] = &["org01", "org02", "expert1", "expert7"];

/// Somebody who asks.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) token: Option<String>,
    pub(super) account: Option<String>,
    /// Granted in the cycle, or everywhere.
    pub(super) granted: Option<Role>,
    /// Whether it was granted everywhere.
    pub(super) everywhere: bool,
    /// Of which organisation, as its owner.
    pub(super) organisation: Option<String>,
    /// On what they have a live sheet in an open round.
    pub(super) assigned: BTreeSet<String>,
}

/// Everybody who asks: nobody, a stranger who has just registered, the bureau, applicants and experts.
pub(super) async fn everybody(desk: &Desk<'_>) -> Vec<Person> {
    let server = desk.server();
    let stranger = register(server, "stranger").await;
    let (_, me) = server.ask("GET", "/v1/me", Some(&stranger), None).await;
    let mut people = vec![
        Person::nobody(),
        Person {
            name: "stranger".to_owned(),
            token: Some(stranger),
            account: me["account"].as_str().map(str::to_owned),
            ..Person::nobody()
        },
    ];
    let bureau = BUREAU.iter().map(|(name, role)| (*name, Some(*role)));
    let named: Vec<(&str, Option<Role>)> = bureau
        .chain(OTHERS.iter().map(|name| (*name, None)))
        .collect();
    let names: Vec<&str> = named.iter().map(|one| one.0).collect();
    let desk = Desk::open(server, &names).await;
    people.extend(named.into_iter().map(|(name, granted)| Person {
        name: name.to_owned(),
        token: Some(desk.token(name).to_owned()),
        account: Some(desk.account(name).to_owned()),
        granted,
        everywhere: granted == Some(Role::Admin),
        ..Person::nobody()
    }));
    people
}

impl Person {
    const fn nobody() -> Self {
        Self {
            name: String::new(),
            token: None,
            account: None,
            granted: None,
            everywhere: false,
            organisation: None,
            assigned: BTreeSet::new(),
        }
    }

    /// What they are towards a record; towards one that does not exist yet, what they could be.
    pub(super) fn roles(&self, record: Option<&Specimen>) -> BTreeSet<Role> {
        let mut roles = BTreeSet::from([Role::Public]);
        roles.extend(self.token.as_ref().map(|_| Role::Account));
        let member = self.organisation.is_some()
            && record.is_none_or(|record| record.organisation == self.organisation);
        if member {
            roles.extend([Role::Applicant, Role::Owner]);
        }
        if self.account.is_some() && record.is_none_or(|record| record.person == self.account) {
            roles.insert(Role::Holder);
        }
        roles.extend(self.granted);
        roles
    }

    /// What they are where no record is asked for: of the cycle that is named, or by what they were granted
    /// everywhere.
    pub(super) fn roles_about_nothing(&self, operation: &Operation) -> BTreeSet<Role> {
        let mut roles = self.roles(None);
        if !self.everywhere && !operation.path.contains("{cycle}") {
            roles.retain(|role| Some(*role) != self.granted);
        }
        roles
    }

    fn eyes(&self, record: &Specimen) -> BTreeSet<Eye> {
        let roles = self.roles(Some(record));
        let has = |role: Role| roles.contains(&role);
        let mut eyes = BTreeSet::from([Eye::Public]);
        eyes.extend(has(Role::Account).then_some(Eye::Account));
        eyes.extend(has(Role::Admin).then_some(Eye::Admin));
        let all_seeing = [Eye::Staff, Eye::Organiser].into_iter();
        eyes.extend(all_seeing.filter(|eye| eye.all_seeing().iter().copied().any(has)));
        eyes.extend(has(Role::Applicant).then_some(Eye::Applicant));
        eyes.extend(has(Role::Holder).then_some(Eye::Holder));
        let part = record
            .parent
            .as_ref()
            .filter(|_| record.kind != Kind::Project);
        let assigned = self.assigned.contains(&record.id)
            || part.is_some_and(|one| self.assigned.contains(one));
        eyes.extend(assigned.then_some(Eye::Expert));
        eyes
    }

    /// Whether any of their eyes sees the record in its stage.
    pub(super) fn sees(&self, record: &Specimen) -> bool {
        let eyes = self.eyes(record);
        record.kind.sights().iter().any(|sight| {
            eyes.contains(&sight.eye)
                && (sight.stages.is_empty() || sight.stages.contains(&record.stage.as_str()))
        })
    }

    /// Whether the operation names a role that they have, and the table gives it in this stage.
    pub(super) fn may(&self, operation: &Operation, record: &Specimen) -> bool {
        let rows = rows(operation, record);
        let mine = self.roles(Some(record));
        let here = rows
            .iter()
            .filter(|row| row.from.contains(&record.stage.as_str()));
        let mut here = here.peekable();
        if here.peek().is_none() {
            return self.may_in_another_stage(operation, record);
        }
        here.any(|row| row.by.iter().any(|role| mine.contains(role)))
    }

    /// Whether the operation names a role that they have towards the record.
    pub(super) fn may_in_another_stage(&self, operation: &Operation, record: &Specimen) -> bool {
        operation.is_for(&self.roles(Some(record)))
    }
}

/// The moves of the operation's verb.
fn rows(operation: &Operation, record: &Specimen) -> Vec<AnyMove> {
    let verb = operation.path.rsplit('/').next().unwrap();
    let moves = record.kind.moves().into_iter();
    moves.filter(|row| row.verb == verb).collect()
}
