//! From scores to a list that anybody can object to.

use serde_json::json;

use super::cast::Fate;
use super::client::{DemoError, items, text};
use super::play::{Entry, Play};

/// The selection under the budget: computed, proposed, approved by somebody else, announced together.
pub(crate) async fn select(play: &mut Play) -> Result<(), DemoError> {
    play.at("2024-07-08T09:00:00+08:00").await?;
    play.move_cycle("open_selection").await?;
    // What if? Computed by the same code, and nothing kept.
    play.client
        .post(
            &play.staff,
            &format!("{}?dry_run=true", play.path("selections")),
            json!({}),
        )
        .await?;
    play.selection = play
        .client
        .post(&play.staff, &play.path("selections"), json!({}))
        .await?
        .text("id")?;
    let record = format!("/v1/selections/{}", play.selection);
    play.client
        .post(&play.staff, &format!("{record}/propose"), json!({}))
        .await?;
    play.at("2024-07-09T15:00:00+08:00").await?;
    play.client
        .post(&play.lead, &format!("{record}/approve"), json!({}))
        .await?;
    play.client
        .post(&play.staff, &format!("{record}/announce"), json!({}))
        .await?;
    Ok(())
}

/// The public notice; one objection is upheld, and the first of the reserve moves up.
pub(crate) async fn notice(play: &mut Play) -> Result<(), DemoError> {
    play.at("2024-07-10T09:00:00+08:00").await?;
    let notice = publish(play).await?;
    object(play, &notice).await?;
    play.at("2024-07-17T09:00:00+08:00").await?;
    play.reach(
        &play.staff,
        &format!("/v1/notices/{notice}"),
        "close",
        "ended",
    )
    .await?;

    play.at("2024-07-18T09:00:00+08:00").await?;
    let promoted = play.entry(Fate::Promoted)?;
    let promotion = json!({
        "application": promoted.application,
        "award": promoted.applicant.form["requested"],
        "reason": "异议成立释放资金,按备选顺序递补",
    });
    play.client
        .post(
            &play.lead,
            &format!("/v1/selections/{}/promote", play.selection),
            promotion,
        )
        .await?;
    let notice = publish(play).await?;
    play.at("2024-07-26T09:00:00+08:00").await?;
    play.reach(
        &play.staff,
        &format!("/v1/notices/{notice}"),
        "close",
        "ended",
    )
    .await
}

async fn publish(play: &Play) -> Result<String, DemoError> {
    let prepared = json!({ "selection": play.selection });
    let notice = play
        .client
        .post(&play.staff, &play.path("notices"), prepared)
        .await?
        .text("id")?;
    play.client
        .post(
            &play.lead,
            &format!("/v1/notices/{notice}/publish"),
            json!({}),
        )
        .await?;
    // Anybody can read it.
    play.client
        .get_as_public(&format!("/v1/notices/{notice}"))
        .await?;
    Ok(notice)
}

async fn object(play: &Play, notice: &str) -> Result<(), DemoError> {
    let disputed = play.entry(Fate::Objected)?;
    let record = format!("/v1/applications/{}", disputed.application);
    let number = play
        .client
        .get(&disputed.owner, &record)
        .await?
        .text("number")?;
    play.at("2024-07-11T10:00:00+08:00").await?;
    let filed = json!({
        "notice": notice,
        "number": number,
        "objector": { "kind": "person", "name": "(演示)张某", "contact": "0519-00000001", "signed": true },
        "facts": "(演示)该项目与去年已获其他财政资金资助的项目内容相同。",
    });
    play.client
        .post_as_public(&play.path("objections"), filed)
        .await?;
    play.at("2024-07-12T09:00:00+08:00").await?;
    let list = items(
        &play
            .client
            .get(&play.staff, &play.path("objections"))
            .await?
            .body,
    );
    let filed = list
        .first()
        .ok_or_else(|| DemoError::Lacks("objection".to_owned()))?;
    let objection = format!("/v1/objections/{}", text(filed, "id")?);
    play.client
        .post(&play.staff, &format!("{objection}/accept"), json!({}))
        .await?;
    let answer = json!({ "statement": "(演示)两个项目确有重复。" });
    play.client
        .post(&disputed.owner, &format!("{objection}/answer"), answer)
        .await?;
    play.at("2024-07-15T14:00:00+08:00").await?;
    let ruling = json!({ "reason": "经核实,同一项目已获其他财政资金资助" });
    play.client
        .post(&play.lead_2, &format!("{objection}/uphold"), ruling)
        .await?;
    Ok(())
}

/// Award letters, plans and agreements for the fourteen, and the first payment.
pub(crate) async fn award(play: &mut Play) -> Result<(), DemoError> {
    play.at("2024-07-29T09:00:00+08:00").await?;
    play.move_cycle("open_launch").await?;
    let mut awards = Vec::new();
    for entry in play.entries.iter().filter(|entry| entry.is_funded()) {
        let letter = json!({ "application": entry.application, "letter": format!("武民立〔2024〕{:02}号(演示)", entry.applicant.no) });
        awards.push(
            play.client
                .post(&play.lead, &play.path("awards"), letter)
                .await?
                .text("id")?,
        );
    }
    play.at("2024-08-01T10:00:00+08:00").await?;
    let funded: Vec<Entry> = play
        .entries
        .iter()
        .filter(|entry| entry.is_funded())
        .cloned()
        .collect();
    for (entry, award) in funded.iter().zip(&awards) {
        play.client
            .post(
                &entry.owner,
                &format!("/v1/awards/{award}/accept"),
                json!({}),
            )
            .await?;
    }
    let projects = items(
        &play
            .client
            .get(&play.staff, &format!("{}?limit=100", play.path("projects")))
            .await?
            .body,
    );
    for project in &projects {
        let (application, id) = (text(project, "application")?, text(project, "id")?);
        if let Some(entry) = play
            .entries
            .iter_mut()
            .find(|entry| entry.application == application)
        {
            entry.project = Some(id);
        }
    }
    play.at("2024-08-02T10:00:00+08:00").await?;
    for (entry, project) in play.projects() {
        let record = format!("/v1/projects/{project}");
        let plan = json!({
            "text": format!("(演示)“{}”实施方案", entry.applicant.title),
            "budget": entry.applicant.form["budget"],
            "targets": entry.applicant.form["indicators"],
            "ends_on": "2025-05-31",
        });
        play.client
            .post(
                &entry.owner,
                &format!("{record}/submit_plan"),
                json!({ "plan": plan }),
            )
            .await?;
        play.client
            .post(&play.staff, &format!("{record}/approve_plan"), json!({}))
            .await?;
    }
    play.at("2024-08-08T10:00:00+08:00").await?;
    for (entry, project) in play.projects() {
        let signed = json!({
            "parties": ["武进区民政局", entry.applicant.organisation],
            "signed_on": "2024-08-08",
            "number": format!("WJ2024-{:02}(演示)", entry.applicant.no),
        });
        play.client
            .post(&play.staff, &format!("/v1/projects/{project}/sign"), signed)
            .await?;
    }
    play.at("2024-08-20T10:00:00+08:00").await?;
    for (_, project) in play.projects() {
        play.pay(&project, "agreement", "2024-08-20").await?;
    }
    Ok(())
}
