//! The two rounds that rank: experts read and score, applicants pitch.

use serde_json::{Map, Value, json};

use super::cast::{Fate, number};
use super::client::{DemoError, Person, at, items, text};
use super::play::{Entry, Play};

/// Criterion and maximum of each rubric, as in the policy.
const PAPER: [(&str, u32); 6] = [
    ("need", 20),
    ("design", 30),
    ("results", 15),
    ("budget", 15),
    ("team", 15),
    ("innovation", 5),
];
const PITCH: [(&str, u32); 6] = [
    ("clarity", 15),
    ("need", 20),
    ("feasibility", 25),
    ("innovation", 10),
    ("results", 15),
    ("answers", 15),
];

/// A score near `quality` points of 100 for each criterion; each expert has a view of their own.
pub(crate) fn marks(rubric: &[(&str, u32)], quality: u32, seed: &str) -> Value {
    let mut scores = Map::new();
    for (key, most) in rubric {
        let near = most * quality / 100;
        let leaning = number(&format!("{seed} {key}"), 3);
        scores.insert(
            (*key).to_owned(),
            json!((near + leaning).saturating_sub(1).min(*most)),
        );
    }
    json!({ "scores": scores, "comments": {} })
}

/// Five experts read every eligible application.
pub(crate) async fn paper_review(play: &mut Play) -> Result<(), DemoError> {
    play.at("2024-06-17T09:00:00+08:00").await?;
    play.move_cycle("open_review").await?;
    let read: Vec<&Entry> = play
        .entries
        .iter()
        .filter(|entry| entry.is_read())
        .collect();
    let plan = json!({ "per_subject": 5, "max_load": read.len() });
    let panel = play
        .seat_by_plan("paper_review", &play.experts[..5], plan)
        .await?;
    play.at("2024-06-18T09:00:00+08:00").await?;
    play.score(&panel, &play.experts[..5], |subject, expert| {
        let entry = read.iter().find(|entry| entry.application == subject)?;
        Some(marks(
            &PAPER,
            entry.applicant.paper,
            &format!("{} {}", entry.applicant.no, expert.email),
        ))
    })
    .await?;
    play.at("2024-06-26T16:00:00+08:00").await?;
    play.client
        .post(&play.staff, &format!("/v1/panels/{panel}/close"), json!({}))
        .await?;
    Ok(())
}

/// The order is drawn, the shortlisted pitch, five experts score.
pub(crate) async fn roadshow(play: &mut Play) -> Result<(), DemoError> {
    play.at("2024-07-01T09:00:00+08:00").await?;
    play.move_cycle("open_roadshow").await?;
    let invited: Vec<Entry> = play
        .entries
        .iter()
        .filter(|entry| entry.is_shortlisted())
        .cloned()
        .collect();
    let subjects: Vec<String> = invited
        .iter()
        .map(|entry| entry.application.clone())
        .collect();
    let session = play
        .client
        .post(
            &play.staff,
            &play.path("pitch-sessions"),
            json!({ "name": "集中路演", "room": "(演示)武进区社会组织服务中心报告厅", "starts_at": "2024-07-04T09:00:00+08:00", "applications": subjects }),
        )
        .await?
        .text("id")?;
    let record = format!("/v1/pitch-sessions/{session}");
    // The commitment is recorded before anybody can know the order; the seed is then revealed.
    let seed = "77756a696e20323032342d30372d303220726f616473686f77";
    play.client
        .post(
            &play.staff,
            &format!("{record}/commit_draw"),
            json!({ "commitment": super::play::commitment_of(seed) }),
        )
        .await?;
    play.at("2024-07-02T10:00:00+08:00").await?;
    play.client
        .post(
            &play.staff,
            &format!("{record}/draw"),
            json!({ "seed": seed }),
        )
        .await?;
    play.client
        .post(&play.staff, &format!("{record}/publish"), json!({}))
        .await?;
    let slots = items(
        &play
            .client
            .get(
                &play.staff,
                &format!("{}?parent={session}&limit=200", play.path("slots")),
            )
            .await?
            .body,
    );
    for slot in &slots {
        let entry = owner_of(&invited, slot)?;
        play.client
            .post(
                &entry.owner,
                &format!("/v1/slots/{}/confirm", text(slot, "id")?),
                json!({}),
            )
            .await?;
    }
    let panel = play.seat("roadshow", &play.experts[2..], &subjects).await?;
    pitch(play, &record, &slots, &invited).await?;
    let score = |subject: &str, expert: &Person| {
        let entry = invited.iter().find(|entry| entry.application == subject)?;
        let came = entry.applicant.fate != Fate::NoShow;
        came.then(|| {
            marks(
                &PITCH,
                entry.applicant.pitch,
                &format!("{} {}", entry.applicant.no, expert.email),
            )
        })
    };
    play.score(&panel, &play.experts[2..], score).await?;
    play.at("2024-07-05T16:00:00+08:00").await?;
    play.client
        .post(&play.staff, &format!("/v1/panels/{panel}/close"), json!({}))
        .await?;
    Ok(())
}

async fn pitch(
    play: &Play,
    session: &str,
    slots: &[Value],
    invited: &[Entry],
) -> Result<(), DemoError> {
    play.at("2024-07-04T09:00:00+08:00").await?;
    play.client
        .post(&play.staff, &format!("{session}/start"), json!({}))
        .await?;
    for slot in slots {
        let (entry, record) = (
            owner_of(invited, slot)?,
            format!("/v1/slots/{}", text(slot, "id")?),
        );
        if entry.applicant.fate == Fate::NoShow {
            play.client
                .post(&play.staff, &format!("{record}/mark_absent"), json!({}))
                .await?;
            continue;
        }
        play.client
            .post(&play.staff, &format!("{record}/check_in"), json!({}))
            .await?;
        play.client
            .post(&play.staff, &format!("{record}/start"), json!({}))
            .await?;
        play.client
            .post(&play.staff, &format!("{record}/finish"), json!({}))
            .await?;
    }
    play.client
        .post(&play.staff, &format!("{session}/finish"), json!({}))
        .await?;
    Ok(())
}

fn owner_of<'a>(invited: &'a [Entry], slot: &Value) -> Result<&'a Entry, DemoError> {
    let application = at(slot, "/turn/application");
    invited
        .iter()
        .find(|entry| entry.application == application)
        .ok_or_else(|| DemoError::Lacks(application))
}
