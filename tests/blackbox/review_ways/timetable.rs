//! The timetable of a roadshow: drawn up, changed by hand, published, changed again; and what each
//! person's calendar makes of it.

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use super::roadshow::{COMMITMENT, SEED, everybody_is_invited};
use super::{Part, checked_for_eligibility, the_journals_hold};
use crate::desk::{Desk, because, id_of};
use crate::support::Server;

on_both!(a_timetable_is_drawn_up_published_and_changed);

const EXPERTS: [&str; 2] = ["expert1", "expert2"];
const OWNERS: [&str; 2] = ["org01", "org02"];

async fn a_timetable_is_drawn_up_published_and_changed(database: Database) {
    let server = checked_for_eligibility(&database);
    let people = [&["staff", "lead"][..], &EXPERTS, &OWNERS].concat();
    let desk = Desk::open(&server, &people).await;
    let applications = desk.applications(&OWNERS).await;
    everybody_is_invited(&desk, &applications).await;

    let timetable = drawn_up(&desk).await;
    clashes_are_shown(&desk, &timetable, &applications).await;
    one_is_moved_by_hand(&desk, &timetable, &applications[0]).await;
    it_becomes_public(&desk, &server, &timetable).await;
    a_later_version_says_what_changed(&desk, &timetable).await;
    a_fixed_list_is_not_moved(&desk, &timetable).await;
    calendars_hold_what_concerns_their_reader(&desk, &timetable).await;
    the_journals_hold(&database, server, Part::Timetable).await;
}

/// Two rooms on these days in July, mornings from nine.
fn frame(days: &[u32], until: &str) -> Value {
    let windows: Vec<Value> = days
        .iter()
        .map(|day| {
            let at = |time: &str| format!("2024-07-{day:02}T{time}:00+08:00");
            json!({ "from": at("09:00"), "until": at(until) })
        })
        .collect();
    json!({ "frame": { "rooms": ["(演示)报告厅", "(演示)会议室"], "windows": windows, "by_domain": true } })
}

/// Everybody who is shortlisted is in one sitting, domains together; too little time is said.
async fn drawn_up(desk: &Desk<'_>) -> String {
    let pitching = desk
        .list("staff", "/applications?stage=shortlisted&limit=100")
        .await;
    let (status, refused) = desk
        .asks_to_create("staff", "timetables", frame(&[4], "09:20"))
        .await;
    assert_eq!(
        (status, refused["errors"][0]["code"].as_str()),
        (422, Some("too_little_time")),
        "{refused}"
    );
    let timetable = desk
        .creates("staff", "timetables", frame(&[4, 5], "11:00"))
        .await;
    let (_, seen) = desk.sees("staff", &timetable).await;
    let sittings = seen["draft"].as_array().unwrap();
    let mut numbers: Vec<&String> = sittings
        .iter()
        .flat_map(|one| one["pitches"].as_object().unwrap().keys())
        .collect();
    numbers.sort();
    let mut expected: Vec<&str> = pitching
        .iter()
        .map(|one| one["number"].as_str().unwrap())
        .collect();
    expected.sort_unstable();
    assert_eq!(numbers, expected);
    assert!(sittings.len() > 2 && seen["clashes"] == json!([]), "{seen}");
    for one in sittings {
        // 8 + 7 + 2 minutes: seven fit between nine and eleven.
        assert!(one["pitches"].as_object().unwrap().len() <= 7);
    }
    assert_eq!(
        desk.sees("org01", &timetable).await.0,
        404,
        "a draft is nobody's but the bureau's"
    );
    let second = desk
        .asks_to_create("staff", "timetables", frame(&[4], "11:00"))
        .await;
    assert_eq!(second.0, 409, "{}", second.1);
    timetable
}

/// A room, an expert and an interest: each is shown, none stops the work.
async fn clashes_are_shown(desk: &Desk<'_>, timetable: &str, applications: &[String]) {
    let (_, seen) = desk.sees("staff", timetable).await;
    let draft = seen["draft"].as_array().unwrap();
    let same_time: Vec<&Value> = draft
        .iter()
        .filter(|one| one["starts_at"] == draft[0]["starts_at"])
        .collect();
    assert_eq!(same_time.len(), 2, "two rooms at once");
    let of = |sitting: &Value| {
        let mut ids = sitting["pitches"].as_object().unwrap().values();
        format!(
            "/v1/applications/{}",
            ids.next_back().unwrap().as_str().unwrap()
        )
    };
    let both = [of(same_time[0]), of(same_time[1])];
    let panel = desk.forms("roadshow", &EXPERTS).await;
    let pairs = desk.pairs(&["expert1"], &[&both[0], &both[1]]);
    desk.does("staff", &panel, "assign", pairs).await;

    let (_, application) = desk.sees("org01", &applications[0]).await;
    let (_, experts) = desk.sees("expert2", "/v1/experts").await;
    let expert = format!(
        "/v1/experts/{}",
        experts["items"][0]["id"].as_str().unwrap()
    );
    let interest = json!({ "organisations": [application["organisation"]], "ground": "曾任理事" });
    desk.does("expert2", &expert, "declare_conflicts", interest)
        .await;

    let by_hand = json!({
        "name": "加场", "room": "(演示)报告厅", "starts_at": "2024-07-04T10:00:00+08:00",
        "applications": [id_of(&applications[1])],
    });
    let session = desk.creates("staff", "pitch-sessions", by_hand).await;
    desk.does("staff", timetable, "redraw", frame(&[4, 5], "11:00"))
        .await;
    let (_, seen) = desk.sees("staff", timetable).await;
    let clashes = seen["clashes"].as_array().unwrap();
    let what = |name: &str| clashes.iter().filter(|one| one["what"] == name).count();
    assert_eq!((what("room"), what("interest")), (1, 1), "{clashes:?}");
    assert!(what("expert") >= 1, "{clashes:?}");
    let number = application["number"].as_str().unwrap();
    assert!(
        clashes
            .iter()
            .any(|one| one["about"].as_str().unwrap().starts_with(number))
    );
    desk.does("staff", &session, "cancel", because("并入日程"))
        .await;
    desk.does("staff", timetable, "redraw", frame(&[4, 5], "11:00"))
        .await;
}

async fn one_is_moved_by_hand(desk: &Desk<'_>, timetable: &str, application: &str) {
    let (_, seen) = desk.sees("staff", timetable).await;
    let sittings = seen["draft"].as_array().unwrap();
    let has = |one: &Value| {
        let mut ids = one["pitches"].as_object().unwrap().values();
        ids.any(|id| id == id_of(application))
    };
    let free = sittings
        .iter()
        .find(|one| !has(one) && one["pitches"].as_object().unwrap().len() < 7)
        .unwrap();
    let to = json!({ "application": id_of(application), "to": free["name"] });
    desk.does("staff", timetable, "shift", to).await;
    let (_, after) = desk.sees("staff", timetable).await;
    let holding: Vec<&Value> = after["draft"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| has(one))
        .collect();
    assert_eq!((holding.len(), &holding[0]["name"]), (1, &free["name"]));
    let nowhere = json!({ "application": id_of(application), "to": "第99场" });
    desk.refused(
        ("staff", timetable, "shift"),
        nowhere,
        422,
        "no_such_sitting",
    )
    .await;
}

/// Sessions are planned; the public reads numbers, rooms and times, and no application's identity.
async fn it_becomes_public(desk: &Desk<'_>, server: &Server, timetable: &str) {
    desk.all("staff", timetable, &["publish"]).await;
    let (_, seen) = desk.sees("staff", timetable).await;
    let planned = seen["published"].as_array().unwrap();
    for one in planned {
        let session = format!("/v1/pitch-sessions/{}", one["session"].as_str().unwrap());
        let (_, record) = desk.sees("staff", &session).await;
        assert_eq!(
            (&record["stage"], &record["name"]),
            (&json!("planned"), &one["sitting"]["name"])
        );
        let mut ids: Vec<&Value> = one["sitting"]["pitches"]
            .as_object()
            .unwrap()
            .values()
            .collect();
        ids.sort_by_key(ToString::to_string);
        assert_eq!(record["applications"], json!(ids));
    }
    let (status, public) = server.ask("GET", timetable, None, None).await;
    assert_eq!((status, &public["version"]), (200, &json!(1)));
    assert_eq!(public["programme"].as_array().unwrap().len(), planned.len());
    let text = public.to_string();
    for one in planned {
        for id in one["sitting"]["pitches"].as_object().unwrap().values() {
            assert!(!text.contains(id.as_str().unwrap()), "{id} is public");
        }
    }
    assert!(public.get("draft").is_none() && public.get("clashes").is_none());
    let changes = public["changes"].as_array().unwrap();
    assert!(
        changes
            .iter()
            .all(|one| one["from"].is_null() && one["to"]["room"].is_string())
    );
}

/// The second day is given up for another one: who was heard then moves, nobody else does.
async fn a_later_version_says_what_changed(desk: &Desk<'_>, timetable: &str) {
    let (_, before) = desk.sees("staff", timetable).await;
    desk.does("staff", timetable, "redraw", frame(&[4, 8], "11:00"))
        .await;
    desk.stages(&[&timetable.to_owned()], &["revised"]).await;
    let (_, public) = desk.sees("org01", timetable).await;
    assert_eq!(
        public["version"], 1,
        "a draft changes nothing for the public"
    );
    desk.all("staff", timetable, &["publish"]).await;
    let (_, after) = desk.sees("org01", timetable).await;
    assert_eq!(after["version"], 2);
    let place = |timetable: &Value, number: &Value| {
        let programme = timetable["programme"].as_array().unwrap();
        let sitting = programme
            .iter()
            .find(|one| one["numbers"].as_array().unwrap().contains(number))
            .unwrap();
        (
            sitting["room"].clone(),
            sitting["starts_at"].clone(),
            sitting["name"].clone(),
        )
    };
    let changes = after["changes"].as_array().unwrap();
    let numbers = before["programme"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["numbers"].as_array().unwrap());
    for number in numbers {
        let moved = place(&before, number) != place(&after, number);
        let listed = changes.iter().any(|one| one["number"] == *number);
        assert_eq!(moved, listed, "{number}");
    }
    assert!(!changes.is_empty());
    for one in before["published"].as_array().unwrap() {
        if one["sitting"]["starts_at"]
            .as_str()
            .unwrap()
            .starts_with("2024-07-05")
        {
            let session = format!("/v1/pitch-sessions/{}", one["session"].as_str().unwrap());
            desk.stages(&[&session], &["cancelled"]).await;
        }
    }
}

/// A list that a draw is committed to stays as it is until its session is cancelled.
async fn a_fixed_list_is_not_moved(desk: &Desk<'_>, timetable: &str) {
    let (_, seen) = desk.sees("staff", timetable).await;
    let first = format!(
        "/v1/pitch-sessions/{}",
        seen["published"][0]["session"].as_str().unwrap()
    );
    desk.does(
        "staff",
        &first,
        "commit_draw",
        json!({ "commitment": COMMITMENT }),
    )
    .await;
    desk.does("staff", timetable, "redraw", frame(&[9, 10], "11:00"))
        .await;
    desk.refused(
        ("staff", timetable, "publish"),
        json!({}),
        422,
        "list_fixed",
    )
    .await;
    desk.stages(&[&first, &timetable.to_owned()], &["committed", "revised"])
        .await;
    desk.does("staff", &first, "cancel", because("改期")).await;
    desk.does("staff", timetable, "redraw", frame(&[9, 10], "11:00"))
        .await;
    desk.all("staff", timetable, &["publish"]).await;
}

/// An applicant's calendar has their turn, an expert's the sitting they score in, the public's all.
async fn calendars_hold_what_concerns_their_reader(desk: &Desk<'_>, timetable: &str) {
    let (_, seen) = desk.sees("staff", timetable).await;
    let mut sessions = Vec::new();
    for one in seen["published"].as_array().unwrap() {
        let session = format!("/v1/pitch-sessions/{}", one["session"].as_str().unwrap());
        desk.does(
            "staff",
            &session,
            "commit_draw",
            json!({ "commitment": COMMITMENT }),
        )
        .await;
        let order = format!("{session}/documents/pitch-order");
        assert_eq!(
            desk.sees("staff", &order).await.0,
            404,
            "nothing is drawn yet"
        );
        desk.does("staff", &session, "draw", json!({ "seed": SEED }))
            .await;
        desk.all("staff", &session, &["publish"]).await;
        sessions.push(session);
    }
    // An expert sees what they score, and its sitting, once the panel is open.
    let panels = desk
        .list("staff", "/panels?facet=roadshow&stage=forming")
        .await;
    let panel = format!("/v1/panels/{}", panels[0]["id"].as_str().unwrap());
    desk.all("staff", &panel, &["open"]).await;
    let calendar = desk.path("/documents/calendar");
    let read = async |who: &str| {
        let (status, text) = desk.sees(who, &calendar).await;
        assert_eq!(status, 200, "{who}: {text}");
        let text = text.as_str().unwrap().replace("\r\n ", "");
        assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"));
        text
    };
    let staff = read("staff").await;
    assert_eq!(
        staff.matches("BEGIN:VEVENT").count(),
        sessions.len(),
        "{staff}"
    );
    let own = read("org01").await;
    let number = desk.list("org01", "/applications").await[0]["number"].clone();
    let number = number.as_str().unwrap();
    assert_eq!(own.matches("BEGIN:VEVENT").count(), 1, "{own}");
    assert!(own.contains(&format!("SUMMARY:路演:{number}\r\n")), "{own}");
    assert!(
        own.contains("DTSTART:2024070") || own.contains("DTSTART:20240710"),
        "{own}"
    );
    let expert = read("expert1").await;
    let scored = expert.matches("BEGIN:VEVENT").count();
    assert!(
        0 < scored && scored < sessions.len() && !expert.contains(number),
        "{expert}"
    );

    let order = format!("{}/documents/pitch-order", sessions[0]);
    let (_, page) = desk.sees("staff", &order).await;
    let (_, public) = desk.sees("org02", &order).await;
    let (page, public) = (page.as_str().unwrap(), public.as_str().unwrap());
    assert!(
        page.contains("签到") && !public.contains("签到"),
        "{public}"
    );
    assert!(public.contains(SEED) && public.contains(COMMITMENT));
    let pitched = desk.list("staff", "/applications?limit=100").await;
    for one in &pitched {
        let title = one["form"]["title"].as_str().unwrap();
        assert!(!public.contains(title), "{title} is public");
    }
    let file = format!("{order}?format=ics");
    let (status, one) = desk.sees("org02", &file).await;
    assert_eq!(
        (
            status,
            one.as_str().unwrap().matches("BEGIN:VEVENT").count()
        ),
        (200, 1)
    );
}
