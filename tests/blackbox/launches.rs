//! The launches of the published source, taken in as they are printed: any day, any place, and two that
//! are not settled yet.

use std::collections::BTreeSet;

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::walk::{Person, Walk, text};
use crate::ways::{at, items, played_until, reminded_of, the_cycle};

const SOURCE: &str = include_str!("../../docs/examples/wujin-2024.json");

on_both!(the_launches_of_the_article_are_taken_in_as_they_are);

async fn the_launches_of_the_article_are_taken_in_as_they_are(database: Database) {
    let server = played_until("award", &database);
    let mut walk = Walk {
        server: &server,
        seen: BTreeSet::new(),
    };
    let walk = &mut walk;
    let staff = walk.person("staff@demo.invalid").await;
    let owner = walk.person("org01@demo.invalid").await;
    let cycle = the_cycle(walk, &staff).await;
    let projects = items(walk, &staff, &format!("{cycle}/projects")).await;
    assert_eq!(projects.len(), 14);
    let address = |title: &str| {
        let found = projects.iter().find(|one| one["title"] == title);
        format!("/v1/projects/{}", text(found.unwrap(), "id"))
    };

    let source: Value = serde_json::from_str(SOURCE).unwrap();
    let printed = source["projects"].as_array().unwrap();
    for one in printed.iter().filter(|one| !one["launch_date"].is_null()) {
        let mut launch = json!({ "date": one["launch_date"] });
        if !one["launch_venue"].is_null() {
            launch["venue"] = one["launch_venue"].clone();
        }
        let project = address(&text(one, "title"));
        walk.must(&staff, &project, "schedule_launch", launch, "signed")
            .await;
        let seen = walk.read(&staff, &project).await;
        let kind = match text(one, "launch_day_kind").as_str() {
            "workday" => "working",
            "makeup_workday" => "make_up_working",
            "public_holiday" => "holiday",
            _ => "weekend",
        };
        assert_eq!(
            seen["launch"],
            json!({
                "date": one["launch_date"], "day_kind": kind, "venue": one["launch_venue"],
            })
        );
    }
    the_calendar_shows_them(walk, &staff, &cycle).await;

    // Another one moves to a place that is taken on that day: it is said, and not forbidden.
    let moved =
        json!({ "date": "2024-09-14", "venue": " 武进区文化馆", "media": ["武进区融媒体中心"] });
    let first = address("家门口的幸福好“食”光");
    walk.must(&owner, &first, "schedule_launch", moved, "signed")
        .await;
    let seen = walk.read(&owner, &first).await;
    assert_eq!(
        (&seen["launch_same_venue"], &seen["launch_media"][0]),
        (&json!(1), &json!("武进区融媒体中心"))
    );
    let table = calendar(walk, Some(&staff), &cycle, "csv").await;
    let clashes = |title: &str| {
        table
            .lines()
            .any(|line| line.contains(&format!("同日同地:“{title}”")))
    };
    assert!(clashes("家门口的幸福好“食”光"), "{table}");
    assert!(
        clashes("“阳光助残 共享美好”——残疾人社会融入服务项目"),
        "{table}"
    );

    // Nothing is public before it has begun.
    let public = calendar(walk, None, &cycle, "csv").await;
    assert_eq!(public.lines().count(), 1, "{public}");
    they_are_reminded_of(walk, &projects).await;
}

/// Three days and one day before, in the morning; those without a day of the one by which to begin.
async fn they_are_reminded_of(walk: &Walk<'_>, projects: &[Value]) {
    let admin = walk.person("admin@demo.invalid").await;
    // Two on the 12th and one on the 13th so far; then two on the 12th again and three on the 14th.
    for (now, times) in [("2024-09-11T07:59:59", 3), ("2024-09-11T08:00:00", 8)] {
        at(walk, &admin, &format!("{now}+08:00")).await;
        assert_eq!(reminded_of(walk, &admin, "launch").await, times, "{now}");
    }
    assert_eq!(reminded_of(walk, &admin, "launch_date").await, 0);
    let last_day = text(&projects[0], "launch_by");
    at(walk, &admin, &format!("{last_day}T08:00:00+08:00")).await;
    assert_eq!(reminded_of(walk, &admin, "launch_date").await, 2);
}

async fn the_calendar_shows_them(walk: &Walk<'_>, staff: &Person, cycle: &str) {
    let table = calendar(walk, Some(staff), cycle, "csv").await;
    let lines: Vec<&str> = table.lines().skip(1).collect();
    assert_eq!(lines.len(), 14, "{table}");
    assert!(
        lines[0].starts_with("2024年9月11日,工作日,家门口的幸福好“食”光,"),
        "{table}"
    );
    let of_kind = |kind: &str| lines.iter().filter(|line| line.contains(kind)).count();
    assert_eq!(
        [",工作日,", ",调休工作日,", ",节假日,", ",周末,"].map(of_kind),
        [5, 3, 2, 2],
        "{table}"
    );
    for open in &lines[12..] {
        assert!(open.starts_with("待定,,"), "{table}");
    }

    let events = calendar(walk, Some(staff), cycle, "ics").await;
    assert_eq!(events.matches("BEGIN:VEVENT\r\n").count(), 12, "{events}");
    assert!(
        events.contains("DTSTART;VALUE=DATE:20241007\r\n"),
        "{events}"
    );
    assert!(events.contains("LOCATION:武进区文化馆\r\n"), "{events}");
}

async fn calendar(walk: &Walk<'_>, who: Option<&Person>, cycle: &str, format: &str) -> String {
    let path = format!("{cycle}/documents/launch-calendar?format={format}");
    let token = who.map(|who| who.token.as_str());
    let (status, _, bytes) = walk.server.fetch(&path, token, &[]).await;
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(status, 200, "{text}");
    text.trim_start_matches('\u{feff}').to_owned()
}
