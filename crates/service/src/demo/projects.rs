//! Launches, the running year, both evaluations, and the close.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cast::{Fate, number};
use super::client::{DemoError, Person, text};
use super::play::{Entry, Play};
use super::review::marks;

const MIDTERM: [(&str, u32); 6] = [
    ("progress", 30),
    ("quality", 20),
    ("input", 15),
    ("finance", 20),
    ("records", 10),
    ("cooperation", 5),
];
const FINAL: [(&str, u32); 6] = [
    ("outputs", 25),
    ("outcomes", 20),
    ("satisfaction", 15),
    ("finance", 20),
    ("growth", 10),
    ("sustainability", 10),
];

/// The launches, on the days and in the places of the article; what it does not give is made up.
pub(crate) async fn launch(play: &mut Play) -> Result<(), DemoError> {
    for (entry, project) in play.projects() {
        let day = json!({ "date": entry.applicant.launch_date, "venue": entry.applicant.launch_venue, "host": entry.applicant.organisation });
        play.client
            .post(
                &entry.owner,
                &format!("/v1/projects/{project}/schedule_launch"),
                day,
            )
            .await?;
    }
    let mut by_day: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (entry, project) in play.projects() {
        by_day
            .entry(entry.applicant.launch_date.clone())
            .or_default()
            .push(project);
    }
    for (day, projects) in by_day {
        play.at(&format!("{day}T09:30:00+08:00")).await?;
        for project in projects {
            play.client
                .post(
                    &play.staff,
                    &format!("/v1/projects/{project}/launch"),
                    json!({}),
                )
                .await?;
            play.client
                .post(
                    &play.staff,
                    &format!("/v1/projects/{project}/activate"),
                    json!({}),
                )
                .await?;
        }
    }
    play.at("2024-10-15T09:00:00+08:00").await?;
    play.move_cycle("open_evaluation").await
}

/// Mid-term: self-reports, three evaluators, grades; one project puts things right and is seen again.
pub(crate) async fn midterm(play: &mut Play) -> Result<(), DemoError> {
    play.at("2024-12-02T09:00:00+08:00").await?;
    report(play, "midterm_self_report", 2).await?;
    play.at("2024-12-16T09:00:00+08:00").await?;
    let all = play.projects();
    evaluate(play, "midterm", &all, |entry| {
        if entry.applicant.fate == Fate::Promoted {
            56
        } else {
            78 + number(&format!("mid {}", entry.applicant.no), 14)
        }
    })
    .await?;
    play.at("2025-01-20T10:00:00+08:00").await?;
    let (later, now): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(entry, _)| entry.applicant.fate == Fate::Promoted);
    for (_, project) in &now {
        play.pay(project, "midterm", "2025-01-20").await?;
    }
    // The one that had to put things right.
    play.at("2025-02-10T09:00:00+08:00").await?;
    evaluate(play, "midterm", &later, |_| 74).await?;
    play.at("2025-02-20T10:00:00+08:00").await?;
    for (_, project) in &later {
        play.pay(project, "midterm", "2025-02-20").await?;
    }
    play.at("2025-03-03T10:00:00+08:00").await?;
    change(play).await
}

async fn change(play: &Play) -> Result<(), DemoError> {
    let projects = play.projects();
    let Some((entry, project)) = projects.iter().find(|(entry, _)| entry.applicant.no == 4) else {
        return Ok(());
    };
    let filed = json!({
        "project": project,
        "change": { "subject": "venue", "old": "(演示)原活动地点", "new": "(演示)新活动地点", "reason": "(演示)原场地装修" },
    });
    let request = play
        .client
        .post(&entry.owner, &play.path("change-requests"), filed)
        .await?
        .text("id")?;
    play.client
        .post(
            &play.staff,
            &format!("/v1/change-requests/{request}/approve"),
            json!({}),
        )
        .await?;
    Ok(())
}

/// Final: reports, three evaluators, grades, last payments, a surplus paid back, and the close.
pub(crate) async fn close(play: &mut Play) -> Result<(), DemoError> {
    play.at("2025-05-12T09:00:00+08:00").await?;
    report(play, "final_report", 4).await?;
    play.at("2025-06-03T09:00:00+08:00").await?;
    let all = play.projects();
    evaluate(play, "final", &all, |entry| {
        79 + number(&format!("final {}", entry.applicant.no), 15)
    })
    .await?;
    play.at("2025-06-20T10:00:00+08:00").await?;
    for (entry, project) in &all {
        play.pay(project, "final", "2025-06-20").await?;
        let awarded = entry.applicant.form["requested"]
            .as_i64()
            .unwrap_or_default();
        let surplus = if entry.applicant.no == 6 { 50_000 } else { 0 };
        let record = format!("/v1/projects/{project}");
        play.client
            .post(
                &play.staff,
                &format!("{record}/accept_spend"),
                json!({ "amount": awarded - surplus }),
            )
            .await?;
        if surplus > 0 {
            let refund = json!({ "amount": surplus, "voucher": "(演示)退款-01" });
            play.client
                .post(&play.finance, &format!("{record}/record_refund"), refund)
                .await?;
        }
        for item in ["项目档案已移交", "资产清单已核对"] {
            let done = json!({ "item": item });
            play.client
                .post(&play.staff, &format!("{record}/check_off"), done)
                .await?;
        }
        play.client
            .post(&play.staff, &format!("{record}/close"), json!({}))
            .await?;
    }
    play.at("2025-06-30T16:00:00+08:00").await?;
    play.client
        .post(
            &play.lead,
            &format!("/v1/cycles/{}/close", play.cycle),
            json!({}),
        )
        .await
        .map(drop)
}

/// Every project is asked for a report, writes it, and staff take it in.
async fn report(play: &Play, occasion: &str, quarters: u32) -> Result<(), DemoError> {
    for (entry, project) in play.projects() {
        let asked = json!({ "project": project, "occasion": occasion });
        let report = play
            .client
            .post(&play.staff, &play.path("reports"), asked)
            .await?
            .text("id")?;
        let record = format!("/v1/reports/{report}");
        play.client
            .replace(
                &entry.owner,
                &record,
                "save",
                json!({ "body": written(&entry, quarters) }),
            )
            .await?;
        play.client
            .post(&entry.owner, &format!("{record}/submit"), json!({}))
            .await?;
        play.client
            .post(&play.staff, &format!("{record}/accept"), json!({}))
            .await?;
    }
    Ok(())
}

fn written(entry: &Entry, quarters: u32) -> Value {
    let form = &entry.applicant.form;
    let mut spend = BTreeMap::new();
    for line in form["budget"].as_array().into_iter().flatten() {
        let category = line["category"].as_str().unwrap_or_default();
        spend.insert(
            category,
            line["unit_price"].as_u64().unwrap_or_default() * u64::from(quarters) / 4,
        );
    }
    let mut reached = BTreeMap::new();
    for indicator in form["indicators"].as_array().into_iter().flatten() {
        let name = indicator["name"].as_str().unwrap_or_default();
        reached.insert(
            name,
            indicator["target"].as_u64().unwrap_or_default() * u64::from(quarters) / 4,
        );
    }
    let people =
        form["beneficiaries"]["count"].as_u64().unwrap_or_default() * u64::from(quarters) / 4;
    json!({ "text": "(演示)项目按计划推进。", "people": people, "person_times": people * 4, "spend": spend, "reached": reached })
}

/// Opens the evaluations, lets three experts score, grades and publishes.
async fn evaluate(
    play: &Play,
    round: &str,
    projects: &[(Entry, String)],
    quality: impl Fn(&Entry) -> u32,
) -> Result<(), DemoError> {
    let mut evaluations = Vec::new();
    for (_, project) in projects {
        let opened = json!({ "project": project, "round": round });
        evaluations.push(text(
            &play
                .client
                .post(&play.staff, &play.path("evaluations"), opened)
                .await?
                .body,
            "id",
        )?);
    }
    let rubric: &[(&str, u32)] = if round == "midterm" { &MIDTERM } else { &FINAL };
    let subjects: Vec<String> = projects
        .iter()
        .map(|(_, project)| project.clone())
        .collect();
    let panel = play.seat(round, &play.experts[..3], &subjects).await?;
    let score = |subject: &str, expert: &Person| {
        let (entry, _) = projects.iter().find(|(_, project)| project == subject)?;
        Some(marks(
            rubric,
            quality(entry),
            &format!("{round} {} {}", entry.applicant.no, expert.email),
        ))
    };
    play.score(&panel, &play.experts[..3], score).await?;
    play.client
        .post(&play.staff, &format!("/v1/panels/{panel}/close"), json!({}))
        .await?;
    for evaluation in evaluations {
        let record = format!("/v1/evaluations/{evaluation}");
        play.client
            .post(
                &play.staff,
                &format!("{record}/grade"),
                json!({ "panel": panel }),
            )
            .await?;
        play.client
            .post(&play.lead, &format!("{record}/publish"), json!({}))
            .await?;
    }
    Ok(())
}
