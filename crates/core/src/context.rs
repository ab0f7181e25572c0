//! Everything from outside that a decision may use.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::actor::{Actor, Role};
use crate::aggregate::{REGISTRY, Record};
use crate::calendar::{FirstDay, WorkingDayCalendar};
use crate::cycle::Cycle;
use crate::policy::{Policy, PolicyDocument};
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::world::World;

/// Time, asker and facts: what `decide` sees beside the record and the command.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// When this is decided; never before the journal's previous entry.
    pub now: Timestamp,
    /// Who asks. Consequences are asked by [`Actor::system`].
    pub actor: &'a Actor,
    /// Who set off the chain of consequences; the actor itself for a direct command.
    pub initiator: &'a Actor,
    /// The roles of the actor towards this record.
    pub roles: &'a BTreeSet<Role>,
    /// The journal the record lives in.
    pub journal: Uuid,
    /// The records loaded for this decision.
    pub world: &'a World,
    /// Working days.
    pub calendar: &'a WorkingDayCalendar,
}

impl<'a> Context<'a> {
    /// The cycle whose journal this is; none in the registry.
    pub fn cycle(&self) -> Option<&'a Record<Cycle>> {
        if self.journal == REGISTRY {
            None
        } else {
            self.world.get::<Cycle>(self.journal)
        }
    }

    /// The policy in force; none before the cycle is published.
    pub fn policy(&self) -> Option<&'a PolicyDocument> {
        let id = self.cycle()?.data.policy?;
        Some(&self.world.get::<Policy>(id)?.data.document)
    }

    /// The policy in force, or the refusal that there is none.
    ///
    /// # Errors
    ///
    /// [`Rejection::Invalid`] while the cycle has no published policy.
    pub fn require_policy(&self) -> Result<&'a PolicyDocument, Rejection> {
        self.policy().ok_or_else(|| {
            Rejection::fault(
                "",
                "no_policy",
                "The cycle has no policy in force: publish it first.",
                "本届尚无生效的规则,请先发布。",
            )
        })
    }

    /// The time zone of the cycle; Beijing time before a policy is in force.
    pub fn zone(&self) -> TimeZone {
        self.policy().map_or_else(
            || PolicyDocument::zone_named("Asia/Shanghai"),
            PolicyDocument::zone,
        )
    }

    /// Today in the cycle's time zone.
    pub fn today(&self) -> Date {
        self.now.date_in(&self.zone())
    }

    /// The end of the working day that closes a window of `working_days` starting today.
    ///
    /// # Errors
    ///
    /// [`Rejection::Invalid`] where the calendar of a year is not loaded.
    pub fn due_in(&self, working_days: u32, first_day: FirstDay) -> Result<Timestamp, Rejection> {
        self.due_from(self.today(), working_days, first_day)
    }

    /// The same for a window that starts on `start`.
    ///
    /// # Errors
    ///
    /// [`Rejection::Invalid`] where the calendar of a year is not loaded.
    pub fn due_from(
        &self,
        start: Date,
        working_days: u32,
        first_day: FirstDay,
    ) -> Result<Timestamp, Rejection> {
        let end = self
            .calendar
            .end_of(start, working_days, first_day)
            .map_err(|error| {
                Rejection::fault(
                    "",
                    "calendar",
                    error.to_string(),
                    format!("工作日历无法推算:{error}"),
                )
            })?;
        Ok(Timestamp::end_of_day(end, &self.zone()))
    }

    /// The account that asks, if any.
    pub const fn account(&self) -> Option<Uuid> {
        self.initiator.account
    }
}
