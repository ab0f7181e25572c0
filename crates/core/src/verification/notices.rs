//! Public notices: what was announced, and a window of so many working days.

use std::collections::BTreeMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::Said;
use super::check::Replay;
use super::fact::Fact;
use crate::notice::Row;
use crate::time::Timestamp;

#[derive(Default)]
pub(super) struct Notices {
    selections: BTreeMap<Uuid, Uuid>,
    ends: BTreeMap<Uuid, Timestamp>,
}

impl Notices {
    pub(super) fn held(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn take(replay: &mut Replay<'_>, fact: &Fact<'_>) -> Result<Option<Said>, Said> {
        let id = fact.id()?;
        match fact.text("verb") {
            "prepare" => {
                let selection = fact.read("/data/prepared/selection")?;
                replay.notices.selections.insert(id, selection);
                Ok(None)
            }
            "publish" => published(replay, id, fact).map(Some),
            "close" => {
                let ends = replay.notices.ends.get(&id).copied().unwrap_or_default();
                if fact.at()? > ends.0 {
                    return Ok(None);
                }
                Err(Said::differs(
                    format!(
                        "entry {}: the notice was closed before its window was over",
                        fact.seq
                    ),
                    format!("第 {} 条:公示在期满前结束", fact.seq),
                ))
            }
            _ => Ok(None),
        }
    }
}

fn published(replay: &mut Replay<'_>, id: Uuid, fact: &Fact<'_>) -> Result<Said, Said> {
    let seq = fact.seq;
    let starts_on: Date = fact.read("/data/published/starts_on")?;
    let ends_at: Timestamp = fact.read("/data/published/ends_at")?;
    let rows: Vec<Row> = fact.read("/data/published/rows")?;
    let policy = replay.policy_at(fact)?.1;
    let (zone, rules) = (policy.zone(), &policy.notice);
    let differs = |en: String, zh: String| {
        Err(Said::differs(
            format!("entry {seq}, notice: {en}"),
            format!("第 {seq} 条,公示:{zh}"),
        ))
    };
    if Timestamp(fact.at()?).date_in(&zone) != starts_on {
        return differs(
            format!("it was not published on {starts_on}"),
            format!("发布日期不是 {starts_on}"),
        );
    }
    let days = rules.working_days;
    match replay.calendar.end_of(starts_on, days, rules.first_day) {
        Ok(last) if Timestamp::end_of_day(last, &zone) == ends_at => {}
        Ok(last) => {
            return differs(
                format!("{days} working days from {starts_on} end on {last}, not at {ends_at}"),
                format!("自 {starts_on} 起 {days} 个工作日应于 {last} 期满,而非 {ends_at}"),
            );
        }
        Err(error) => return differs(error.to_string(), format!("工作日历无法推算:{error}")),
    }
    let selection = replay
        .notices
        .selections
        .get(&id)
        .copied()
        .unwrap_or_default();
    for row in &rows {
        let number = &row.number;
        let same = replay
            .selections
            .awarded(selection, number)
            .is_some_and(|(line, award)| {
                (award, &line.score, line.rank) == (row.award, &row.score, row.rank)
            });
        if !same {
            return differs(
                format!("{number} has another award, score or place than in the selection"),
                format!("{number} 的金额、得分或名次与遴选结果不符"),
            );
        }
    }
    replay.notices.ends.insert(id, ends_at);
    let count = rows.len();
    Ok(Said::holds(
        format!(
            "notice: {count} row(s) as selected; {days} working days from {starts_on} to {ends_at}"
        ),
        format!("公示:{count} 行与遴选结果一致;自 {starts_on} 起 {days} 个工作日,至 {ends_at}"),
    ))
}
