//! What the play has left behind, as anybody could read it from the API.

use std::collections::BTreeMap;

use comfy_table::{Table, presets};
use fundcycle_core::calendar::{DayKind, WorkingDayCalendar};
use fundcycle_core::money::Money;
use serde_json::Value;

use super::client::{DemoError, at, items, text};
use super::play::Play;

/// The fourteen projects, one row each.
pub(crate) async fn table(play: &Play, calendar: &WorkingDayCalendar) -> Result<Table, DemoError> {
    let all = |plural: &str| format!("{}?limit=200", play.path(plural));
    let projects = items(&play.client.get(&play.auditor, &all("projects")).await?.body);
    let evaluations = items(
        &play
            .client
            .get(&play.auditor, &all("evaluations"))
            .await?
            .body,
    );
    let applications = items(
        &play
            .client
            .get(&play.auditor, &all("applications"))
            .await?
            .body,
    );
    let mut grades: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for evaluation in &evaluations {
        let key = (text(evaluation, "project")?, text(evaluation, "round")?);
        grades
            .entry(key)
            .or_default()
            .push(at(evaluation, "/grade"));
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "#",
        "项目 project",
        "组织 organisation",
        "领域 domain",
        "得分 score",
        "资助 award",
        "启动 launch",
        "中期 mid-term",
        "末期 final",
        "状态 status",
    ]);
    for (entry, id) in play.projects() {
        let Some(project) = projects.iter().find(|project| project["id"] == id.as_str()) else {
            continue;
        };
        let application = applications
            .iter()
            .find(|one| one["id"] == entry.application.as_str())
            .unwrap_or(&Value::Null);
        let grade = |round: &str| {
            grades
                .get(&(id.clone(), round.to_owned()))
                .map(|list| list.join(" → "))
                .unwrap_or_default()
        };
        let award = Money::from_fen(
            entry.applicant.form["requested"]
                .as_i64()
                .unwrap_or_default(),
        )
        .to_yuan_text();
        table.add_row([
            entry.applicant.no.to_string(),
            shortened(&entry.applicant.title, 18),
            shortened(&entry.applicant.organisation, 16),
            at(project, "/domain"),
            at(application, "/selected/score"),
            award,
            launch(
                &entry.applicant.launch_date,
                &entry.applicant.launch_synthetic,
                calendar,
            ),
            grade("midterm"),
            grade("final"),
            at(project, "/status/zh"),
        ]);
    }
    Ok(table)
}

/// The day of a launch with what kind of day it was; an asterisk marks what was made up.
fn launch(date: &str, synthetic: &[&str], calendar: &WorkingDayCalendar) -> String {
    let kind = date
        .parse()
        .ok()
        .and_then(|date| calendar.day_kind(date).ok());
    let kind = match kind {
        Some(DayKind::Working) => "工作日",
        Some(DayKind::Weekend) => "周末",
        Some(DayKind::Holiday) => "节假日",
        Some(DayKind::MakeUpWorking) => "调休上班",
        None => "",
    };
    let mark = if synthetic.is_empty() { "" } else { " *" };
    format!("{date} {kind}{mark}")
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let start: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{start}…")
}

/// How many of each kind of fact the cycle's journal holds, most first.
pub(crate) async fn facts(play: &Play) -> Result<(usize, Vec<(String, usize)>), DemoError> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let (mut after, mut total) = (0, 0);
    loop {
        let page = play
            .client
            .get(
                &play.auditor,
                &format!("{}?after={after}", play.path("journal")),
            )
            .await?;
        let entries = items(&page.body);
        let Some(last) = entries.last() else { break };
        after = last["seq"].as_i64().unwrap_or_default();
        total += entries.len();
        for entry in &entries {
            *counts.entry(at(entry, "/kind")).or_default() += 1;
        }
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok((total, counts))
}
