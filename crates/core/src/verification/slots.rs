//! Turns of the roadshow: by how much a pitch was too long, from when it began and ended.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Said;
use super::fact::Fact;
use crate::time::Timestamp;

#[derive(Default)]
pub(super) struct Slots {
    turns: BTreeMap<Uuid, Turn>,
}

struct Turn {
    application: Uuid,
    /// In milliseconds.
    length: i64,
    started_at: Option<i64>,
    /// Full seconds over time of a pitch that was heard.
    overrun_seconds: Option<u32>,
}

impl Slots {
    pub(super) fn take(&mut self, fact: &Fact<'_>) -> Result<(), Said> {
        // Turns whose result is not public are not shown.
        let (seq, verb) = (fact.seq, fact.text("verb"));
        if verb == "schedule" {
            let from: Timestamp = fact.read("/data/scheduled/turn/starts_at")?;
            let until: Timestamp = fact.read("/data/scheduled/turn/ends_at")?;
            let turn = Turn {
                application: fact.read("/data/scheduled/turn/application")?,
                length: until.0.saturating_sub(from.0),
                started_at: None,
                overrun_seconds: None,
            };
            self.turns.insert(fact.id()?, turn);
            return Ok(());
        }
        if !matches!(verb, "start" | "finish" | "pitch_again") {
            return Ok(());
        }
        let (id, at) = (fact.id()?, fact.at()?);
        let Some(turn) = self.turns.get_mut(&id) else {
            return Err(Said::differs(
                format!("entry {seq}: the turn was never given"),
                format!("第 {seq} 条:该路演时段从未排定"),
            ));
        };
        match verb {
            "start" => turn.started_at = Some(at),
            "finish" => {
                let took = turn.started_at.map_or(0, |from| at.saturating_sub(from));
                let over = took.saturating_sub(turn.length).max(0) / 1000;
                let over = u32::try_from(over).unwrap_or(u32::MAX);
                let recorded: u32 = fact.read("/data/finished/overrun_seconds")?;
                if recorded != over {
                    return Err(Said::differs(
                        format!(
                            "entry {seq}: the pitch was {over} seconds too long, not {recorded}"
                        ),
                        format!("第 {seq} 条:路演超时 {over} 秒,并非 {recorded} 秒"),
                    ));
                }
                turn.overrun_seconds = Some(over);
            }
            _ => {
                turn.started_at = None;
                turn.overrun_seconds = None;
            }
        }
        Ok(())
    }

    /// By how many full seconds the pitch of an application was too long; none where none is shown.
    pub(super) fn overrun_seconds(&self, application: Uuid) -> Option<u32> {
        let turns = self.turns.values();
        let mut heard: Vec<(i64, u32)> = turns
            .filter(|turn| turn.application == application)
            .filter_map(|turn| Some((turn.started_at?, turn.overrun_seconds?)))
            .collect();
        heard.sort_unstable();
        heard.pop().map(|(_, over)| over)
    }
}
