//! From an empty installation to the list of eligible applications.

use serde_json::{Value, json};

use super::cast::{Applicant, Fate, number};
use super::client::DemoError;
use super::play::{Entry, Play};

const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

/// The rules of this cycle, as the bureau publishes them.
const POLICY: &str = include_str!("../../../../docs/examples/wujin-2024.toml");

/// The bureau sets the cycle up: people, roles, policy, publication.
pub(crate) async fn prepare(play: &mut Play) -> Result<(), DemoError> {
    play.at("2024-04-22T09:00:00+08:00").await?;
    let admin = play.admin.clone();
    let name = "2024—2025年“吾社益心——武有爱,益万家”公益创投";
    let cycle = play.client.post(&admin, "/v1/cycles", json!({ "name": name, "name_en": "Wujin Public-Welfare Venture Philanthropy 2024-2025" })).await?;
    play.cycle = cycle.text("id")?;
    for (person, role) in play.bureau_roles() {
        let grant = json!({ "grant": { "role": role, "scope": { "cycle": play.cycle } } });
        play.client
            .post(
                &admin,
                &format!("/v1/accounts/{}/grant", person.account),
                grant,
            )
            .await?;
    }
    play.at("2024-04-26T09:00:00+08:00").await?;
    let document: toml::Table =
        toml::from_str(POLICY).map_err(|error| DemoError::Policy(error.to_string()))?;
    let document =
        serde_json::to_value(document).map_err(|error| DemoError::Policy(error.to_string()))?;
    let policy = play
        .client
        .post(
            &play.staff,
            &play.path("policies"),
            json!({ "document": document }),
        )
        .await?;
    let publish = format!("/v1/cycles/{}/publish", play.cycle);
    play.client
        .post(
            &play.lead,
            &publish,
            json!({ "policy": policy.text("id")? }),
        )
        .await?;
    invite_experts(play).await
}

async fn invite_experts(play: &Play) -> Result<(), DemoError> {
    for (index, expert) in play.experts.iter().enumerate() {
        let category = [
            "学者",
            "社工实务",
            "财务",
            "民政",
            "媒体",
            "学者",
            "社工实务",
        ]
        .get(index)
        .copied()
        .unwrap_or("社工实务");
        let profile = json!({ "name": expert.name, "category": category, "employer": format!("(演示)单位{}", index + 1), "synthetic": true });
        let invited = play
            .client
            .post(
                &play.staff,
                "/v1/experts",
                json!({ "account": expert.account, "profile": profile }),
            )
            .await?;
        play.client
            .post(
                expert,
                &format!("/v1/experts/{}/accept", invited.text("id")?),
                json!({ "pledge": true }),
            )
            .await?;
    }
    Ok(())
}

/// Organisations register and are verified; they write, upload, hand in, take back.
pub(crate) async fn apply(play: &mut Play, cast: Vec<Applicant>) -> Result<(), DemoError> {
    play.at("2024-05-06T09:30:00+08:00").await?;
    for applicant in cast {
        let owner = play
            .register(
                &applicant.organisation,
                &format!("org{:02}@demo.invalid", applicant.no),
            )
            .await?;
        let profile = json!({
            "name": applicant.organisation,
            "organisation_kind": "service",
            "uscc": applicant.uscc,
            "registered_on": format!("20{:02}-03-01", 12 + number(&applicant.organisation, 9)),
            "legal_representative": "(演示)法定代表人",
            "phone": "0519-00000000",
            "address": "(演示)江苏省常州市武进区",
            "synthetic": applicant.organisation_synthetic,
        });
        let organisation = play
            .client
            .post(&owner, "/v1/organisations", json!({ "profile": profile }))
            .await?
            .text("id")?;
        play.client
            .post(
                &play.staff,
                &format!("/v1/organisations/{organisation}/verify"),
                json!({}),
            )
            .await?;
        // The first version is what one has after an evening: a title and not much else.
        let begun = json!({ "title": applicant.title, "domain": applicant.form["domain"] });
        let draft = play
            .client
            .post(
                &owner,
                &play.path("applications"),
                json!({ "organisation": organisation, "form": begun }),
            )
            .await?;
        let id = draft.text("id")?;
        play.entries.push(Entry::new(applicant, owner, id));
    }
    for (index, entry) in play.entries.iter().enumerate() {
        let (day, hour) = (8 + index / 2, if index % 2 == 0 { 10 } else { 15 });
        play.at(&format!("2024-05-{day:02}T{hour}:15:00+08:00"))
            .await?;
        let record = format!("/v1/applications/{}", entry.application);
        let mut form = entry.applicant.form.clone();
        if faulty(entry) {
            form["indicators"] = json!([]);
        }
        play.client
            .replace(&entry.owner, &record, "edit", json!({ "form": form }))
            .await?;
        play.client
            .upload(
                &entry.owner,
                &format!("{record}/attachments?name=registration.pdf"),
                PDF,
            )
            .await?;
        play.client
            .post(&entry.owner, &format!("{record}/submit"), json!({}))
            .await?;
        if entry.applicant.no == 2 {
            // Somebody finds a slip after handing in: take it back, change it, hand it in again.
            play.client
                .post(&entry.owner, &format!("{record}/retract"), json!({}))
                .await?;
            form["place"] = json!("(演示)武进区洛阳镇");
            play.client
                .replace(&entry.owner, &record, "edit", json!({ "form": form }))
                .await?;
            play.client
                .post(&entry.owner, &format!("{record}/submit"), json!({}))
                .await?;
        }
    }
    Ok(())
}

/// Whether an application is returned for correction.
fn faulty(entry: &Entry) -> bool {
    matches!(entry.applicant.no, 7 | 10) || entry.applicant.fate == Fate::Expired
}

/// Staff check eligibility; some are returned, one is not corrected, one is checked twice.
pub(crate) async fn check(play: &mut Play) -> Result<(), DemoError> {
    play.at("2024-06-03T09:00:00+08:00").await?;
    for entry in &play.entries {
        let record = format!("/v1/applications/{}", entry.application);
        play.client
            .post(&play.staff, &format!("{record}/start_check"), json!({}))
            .await?;
        if faulty(entry) {
            let items =
                json!({ "items": [{ "field": "indicators", "note": "请补充可衡量的指标" }] });
            play.client
                .post(&play.staff, &format!("{record}/request_correction"), items)
                .await?;
        } else if entry.applicant.fate == Fate::Rejected {
            let reason = json!({ "reason": "项目内容与所报领域不符" });
            play.client
                .post(&play.staff, &format!("{record}/reject"), reason)
                .await?;
        } else {
            play.client
                .post(&play.staff, &format!("{record}/accept"), json!({}))
                .await?;
        }
    }
    play.at("2024-06-05T10:00:00+08:00").await?;
    for entry in &play.entries {
        let record = format!("/v1/applications/{}", entry.application);
        if faulty(entry) && entry.applicant.fate != Fate::Expired {
            let seen = play.client.get(&entry.owner, &record).await?;
            let mut form: Value = seen.body["form"].clone();
            form["indicators"] = entry.applicant.form["indicators"].clone();
            play.client
                .replace(&entry.owner, &record, "correct", json!({ "form": form }))
                .await?;
            play.client
                .post(&entry.owner, &format!("{record}/resubmit"), json!({}))
                .await?;
            play.client
                .post(&play.staff, &format!("{record}/accept"), json!({}))
                .await?;
        }
        if entry.applicant.fate == Fate::Rejected {
            let reason = json!({ "reason": "我们认为项目符合该领域" });
            play.client
                .post(&entry.owner, &format!("{record}/request_recheck"), reason)
                .await?;
            let reason = json!({ "reason": "经复核,领域不符的认定成立" });
            play.client
                .post(&play.staff_2, &format!("{record}/uphold_rejection"), reason)
                .await?;
        }
        if entry.applicant.fate == Fate::Withdrawn {
            let reason = json!({ "reason": "项目负责人离职" });
            play.client
                .post(&entry.owner, &format!("{record}/withdraw"), reason)
                .await?;
        }
    }
    // Three working days after 3 June, not counting that day: the correction that never came expires.
    play.at("2024-06-12T09:00:00+08:00").await?;
    for entry in play
        .entries
        .iter()
        .filter(|entry| entry.applicant.fate == Fate::Expired)
    {
        play.reach(
            &play.staff,
            &format!("/v1/applications/{}", entry.application),
            "expire",
            "ineligible",
        )
        .await?;
    }
    Ok(())
}
