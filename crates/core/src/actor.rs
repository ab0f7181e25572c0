//! Who asks: an account with its grants, the service itself, or nobody we know.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::aggregate::REGISTRY;

names! {
    /// What a person is towards one record (`reliability.md` §3.1).
    pub enum Role {
        /// Anybody, signed in or not.
        Public = "public" "公众",
        /// Anybody signed in.
        Account = "account" "登录用户",
        /// A member of the organisation that the record belongs to.
        Applicant = "applicant" "申报组织成员",
        /// The member who answers for that organisation: manages members and signs.
        Owner = "owner" "组织负责人",
        /// The person that the record is about: the expert of a sheet, the holder of an account.
        Holder = "holder" "本人",
        /// Runs the cycle for the bureau.
        Staff = "staff" "工作人员",
        /// Approves what staff proposed.
        Lead = "lead" "审批负责人",
        /// Confirms payments.
        Finance = "finance" "财务",
        /// Reads everything of a cycle and changes nothing.
        Auditor = "auditor" "审计",
        /// Keeps accounts and grants; sees no application.
        Admin = "admin" "系统管理员",
        /// The service: clocks that run out and consequences of other moves.
        System = "system" "系统",
    }
}

/// A role and where it holds.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// What the account may act as.
    pub role: Role,
    /// Where.
    pub scope: Scope,
}

/// Where a grant holds. Only administrators and auditors are ever granted everywhere.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// In the whole installation.
    Everywhere,
    /// In one cycle.
    Cycle(Uuid),
    /// In one organisation.
    Organisation(Uuid),
}

/// Whoever sends a command or reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The signed-in account; none for the public and for the service.
    pub account: Option<Uuid>,
    /// What the account has been granted.
    pub grants: BTreeSet<Grant>,
    /// Whether this is the service itself.
    pub system: bool,
    /// The cycles to which the token they came with is limited; none: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limited_to: Option<BTreeSet<Uuid>>,
}

impl Actor {
    /// The service itself.
    pub const fn system() -> Self {
        Self {
            account: None,
            grants: BTreeSet::new(),
            system: true,
            limited_to: None,
        }
    }

    /// Somebody who has not signed in.
    pub const fn public() -> Self {
        Self {
            account: None,
            grants: BTreeSet::new(),
            system: false,
            limited_to: None,
        }
    }

    /// A signed-in account.
    pub const fn account(id: Uuid, grants: BTreeSet<Grant>) -> Self {
        Self {
            account: Some(id),
            grants,
            system: false,
            limited_to: None,
        }
    }

    /// The same with a token that is limited to these cycles: to all others, and to whoever keeps the
    /// installation, they are nobody. Of the registry they see what they would without that limit.
    pub fn limited_to(mut self, cycles: BTreeSet<Uuid>) -> Self {
        self.limited_to = Some(cycles);
        let grants = std::mem::take(&mut self.grants);
        self.granted(grants)
    }

    /// The same with these rights, as far as their token reaches.
    pub fn granted(mut self, grants: BTreeSet<Grant>) -> Self {
        self.grants = match &self.limited_to {
            None => grants,
            Some(cycles) => grants
                .into_iter()
                .flat_map(|grant| within(grant, cycles))
                .collect(),
        };
        self
    }

    /// Whether their token reaches a journal.
    pub fn reaches(&self, journal: Uuid) -> bool {
        let limit = self.limited_to.as_ref();
        journal == REGISTRY || limit.is_none_or(|cycles| cycles.contains(&journal))
    }

    /// How the journal names the actor: `system`, `public` or the account's id.
    pub fn name(&self) -> String {
        match self.account {
            Some(id) => id.to_string(),
            None if self.system => "system".to_owned(),
            None => "public".to_owned(),
        }
    }

    /// The organisations of which this actor is a member.
    pub fn organisations(&self) -> BTreeSet<Uuid> {
        self.grants
            .iter()
            .filter_map(|grant| match grant.scope {
                Scope::Organisation(id) => Some(id),
                _ => None,
            })
            .collect()
    }

    /// The roles this actor has towards a record of `cycle` (none: the registry, where anyone
    /// who works for some cycle acts for the bureau) that belongs to `organisation` and `person`.
    pub fn roles(
        &self,
        cycle: Option<Uuid>,
        organisation: Option<Uuid>,
        person: Option<Uuid>,
    ) -> BTreeSet<Role> {
        let mut roles = BTreeSet::from([Role::Public]);
        if self.system {
            roles.insert(Role::System);
        }
        let reached = cycle.is_none_or(|cycle| self.reaches(cycle));
        let Some(account) = self.account.filter(|_| reached) else {
            return roles;
        };
        roles.insert(Role::Account);
        if person == Some(account) {
            roles.insert(Role::Holder);
        }
        for grant in &self.grants {
            let holds = match grant.scope {
                Scope::Everywhere => true,
                Scope::Cycle(id) => cycle.is_none_or(|cycle| cycle == id),
                Scope::Organisation(id) => organisation == Some(id),
            };
            if holds {
                roles.insert(grant.role);
                if grant.role == Role::Owner {
                    roles.insert(Role::Applicant);
                }
            }
        }
        // Nobody acts for the bureau towards their own organisation (`visibility.md` F3).
        if organisation.is_some_and(|id| self.organisations().contains(&id)) {
            roles.retain(|role| !matches!(role, Role::Staff | Role::Lead | Role::Finance));
        }
        roles
    }
}

/// What is left of a grant within some cycles: who audits everything audits these; who keeps the
/// installation keeps nothing.
fn within(grant: Grant, cycles: &BTreeSet<Uuid>) -> Vec<Grant> {
    let Grant { role, scope } = grant;
    match scope {
        Scope::Organisation(_) => vec![grant],
        Scope::Cycle(id) => Vec::from_iter(cycles.contains(&id).then_some(grant)),
        Scope::Everywhere if role == Role::Admin => Vec::new(),
        Scope::Everywhere => cycles
            .iter()
            .map(|id| Grant {
                role,
                scope: Scope::Cycle(*id),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Uuid = Uuid::from_u128(1);
    const TWO: Uuid = Uuid::from_u128(2);
    const ME: Uuid = Uuid::from_u128(9);

    fn limited(grants: &[(Role, Scope)]) -> Actor {
        let grants = grants.iter().map(|&(role, scope)| Grant { role, scope });
        Actor::account(ME, grants.collect()).limited_to(BTreeSet::from([ONE]))
    }

    #[test]
    fn a_token_for_one_cycle_is_nobody_in_another() {
        let actor = limited(&[
            (Role::Staff, Scope::Cycle(ONE)),
            (Role::Lead, Scope::Cycle(TWO)),
            (Role::Auditor, Scope::Everywhere),
            (Role::Owner, Scope::Organisation(ME)),
        ]);
        let public = BTreeSet::from([Role::Public]);
        assert_eq!(actor.roles(Some(TWO), Some(ME), Some(ME)), public);
        let here = actor.roles(Some(ONE), None, Some(ME));
        let roles = [Role::Staff, Role::Auditor, Role::Holder, Role::Account];
        assert!(roles.iter().all(|role| here.contains(role)), "{here:?}");
        assert!(!here.contains(&Role::Lead));
        let registry = actor.roles(None, Some(ME), None);
        assert!(registry.contains(&Role::Owner) && registry.contains(&Role::Auditor));
    }

    #[test]
    fn a_token_for_a_cycle_keeps_no_installation() {
        let actor = limited(&[(Role::Admin, Scope::Everywhere)]);
        for cycle in [None, Some(REGISTRY), Some(ONE)] {
            assert!(!actor.roles(cycle, None, None).contains(&Role::Admin));
        }
        // Nor once their rights are read anew.
        let grants = BTreeSet::from([Grant {
            role: Role::Admin,
            scope: Scope::Everywhere,
        }]);
        assert!(actor.granted(grants).grants.is_empty());
    }
}
