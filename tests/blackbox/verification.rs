//! `fundcycle verify`: the published file of a cycle holds, any change of it is found, and it names nobody.

use std::path::Path;

use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_core::digest::to_hex;
use fundcycle_core::disclosure::{chained, digest};
use fundcycle_core::verification::{Export, Line, check};
use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::support::{Server, err, out, run};
use crate::torture::hostile::Chance;
use crate::walk::PASSWORD;

on_both!(the_result_of_the_cycle_is_computed_again_from_its_public_file);

async fn the_result_of_the_cycle_is_computed_again_from_its_public_file(database: Database) {
    let folder = database.folder.path();
    let arguments = ["demo", "--until", "notice", "--database", &database.url];
    let played = run(folder, &arguments);
    assert_eq!(played.status.code(), Some(0), "{}", err(&played));
    let server = Server::start(
        folder,
        &database.url,
        &["--time-travel", "--token-days", "400"],
    );
    let (_, cycles) = server.ask("GET", "/v1/cycles", None, None).await;
    let cycle = cycles["items"][0]["id"].as_str().unwrap();
    // A day later the head of the journal is signed and published again.
    let admin = server.sign_in("admin@demo.invalid", PASSWORD).await;
    let later = json!({ "now": "2024-07-28T09:00:00+08:00" });
    let (status, said) = server
        .ask("PUT", "/v1/clock", Some(&admin), Some(later))
        .await;
    assert_eq!(status, 200, "{said}");
    let path = format!("/v1/cycles/{cycle}/verification");
    let (status, file) = server.ask("GET", &path, None, None).await;
    assert_eq!(status, 200, "{file}");

    it_names_nobody(&server, &admin, &file).await;
    it_holds(folder, &file);
    its_head_is_signed(folder, &file);
    // The file is the same on both engines: what is tried with it is tried in full on one.
    every_change_is_found(folder, &file, if database.is_postgres() { 2 } else { 99 });
    if !database.is_postgres() {
        a_file_that_was_chained_anew_still_has_to_add_up(&file);
        a_spoilt_file_is_told_apart(&file);
    }
}

/// Exit code, standard output.
fn verify(folder: &Path, file: &Value, locale: &str) -> (i32, String) {
    let name = folder.join("verification.json");
    std::fs::write(&name, file.to_string()).unwrap();
    let arguments = ["verify", "--locale", locale, name.to_str().unwrap()];
    let output = run(folder, &arguments);
    (output.status.code().unwrap(), out(&output) + &err(&output))
}

async fn it_names_nobody(server: &Server, admin: &str, file: &Value) {
    let text = file.to_string();
    let mut seen = 0;
    for path in ["/v1/accounts?limit=200", "/v1/experts?limit=200"] {
        let (_, list) = server.ask("GET", path, Some(admin), None).await;
        for one in list["items"].as_array().unwrap() {
            let words = [
                "/id",
                "/name",
                "/email",
                "/account",
                "/profile/name",
                "/profile/phone",
                "/profile/employer",
            ];
            for word in words.iter().filter_map(|word| one.pointer(word)?.as_str()) {
                if !word.is_empty() {
                    assert!(!text.contains(word), "{path}: {word}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 30, "{seen}");
    for word in ["(演示)张某", "0519-00000001", "contact_person"] {
        assert!(!text.contains(word), "{word}");
    }
}

fn it_holds(folder: &Path, file: &Value) {
    let (code, said) = verify(folder, file, "en");
    assert_eq!(code, 0, "{said}");
    for line in [
        "✓ journal: ",
        "✓ signed head: ",
        "✓ policy 1: ",
        "✓ draw of 集中路演: ",
        "✓ ranking of paper_review: ",
        "✓ ranking of roadshow: ",
        "✓ selection: ",
        "✓ promotion of ",
        "✓ notice: ",
        "1 draws, 2 rankings, 1 selections, 2 notices",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let (code, said) = verify(folder, file, "zh-CN");
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("✓ 记录链") && said.contains("全部一致"),
        "{said}"
    );
}

/// Who knows the fingerprint of the bureau's key learns whether the file is what the bureau signed.
fn its_head_is_signed(folder: &Path, file: &Value) {
    let (_, said) = verify(folder, file, "en");
    let key = said.split("fingerprint ").nth(1).unwrap();
    let key = key.split_whitespace().next().unwrap();
    let with_key = |file: &Value, key: &str| {
        std::fs::write(folder.join("signed.json"), file.to_string()).unwrap();
        let output = run(folder, &["verify", "signed.json", "--key", key]);
        output.status.code()
    };
    assert_eq!(with_key(file, key), Some(0));
    assert_eq!(with_key(file, &"ab".repeat(32)), Some(1));
    let mut unsigned = file.clone();
    unsigned.as_object_mut().unwrap().remove("signed");
    assert_eq!(with_key(&unsigned, key), Some(1));
}

/// A value of the file: in the first entry of this kind and verb that shows it, at this path.
struct Place(&'static str, &'static str, Value);

impl Place {
    fn of<'a>(&self, file: &'a mut Export) -> &'a mut Value {
        let says = |line: &Line, name: &str, value: &str| {
            let path = json!([name]);
            let mut shown = line.content.shown.iter();
            shown.any(|one| json!(one.path) == path && one.value == value)
        };
        file.entries
            .iter_mut()
            .filter(|line| says(line, "kind", self.0) && says(line, "verb", self.1))
            .find_map(|line| {
                let mut shown = line.content.shown.iter_mut();
                let one = shown.find(|one| json!(one.path) == self.2)?;
                Some(&mut one.value)
            })
            .unwrap_or_else(|| panic!("nothing at {} {} {}", self.0, self.1, self.2))
    }
}

/// Single values, each with what it is changed to and what the recomputation says where the chain is
/// mended after it.
fn changes() -> Vec<(Place, Value, &'static str)> {
    let run = |rest: &[Value]| {
        Value::from([&[json!("data"), json!("computed"), json!("run")], rest].concat())
    };
    vec![
        (
            Place("sheet", "submit", json!(["data", "submitted", "total"])),
            json!("61.5"),
            "do not add up",
        ),
        (
            Place(
                "sheet",
                "submit",
                json!(["data", "submitted", "marks", "scores", "need"]),
            ),
            json!("1"),
            "do not add up",
        ),
        (
            Place(
                "panel",
                "close",
                json!(["data", "closed", "results", 0, "score", "rank"]),
            ),
            json!(2),
            "other scores or places",
        ),
        (
            Place(
                "panel",
                "close",
                json!(["data", "closed", "results", 3, "score", "exact"]),
            ),
            json!("80"),
            "other scores or places",
        ),
        (
            Place(
                "panel",
                "close",
                json!(["data", "closed", "sheets", 0, "label"]),
            ),
            json!("E99"),
            "",
        ),
        (
            Place(
                "selection",
                "compute",
                run(&[json!("lines"), json!(0), json!("award")]),
            ),
            json!(1),
            "another result",
        ),
        (
            Place(
                "selection",
                "compute",
                run(&[json!("inputs"), json!(0), json!("requested")]),
            ),
            json!(1_000_000),
            "another hash",
        ),
        (
            Place(
                "policy",
                "draft",
                json!(["data", "written", "document", "selection", "budget"]),
            ),
            json!("900000"),
            "the hash of the policy",
        ),
        (
            Place(
                "policy",
                "draft",
                json!([
                    "data", "written", "document", "rounds", "roadshow", "weight"
                ]),
            ),
            json!("0.5"),
            "the hash of the policy",
        ),
        (
            Place(
                "policy",
                "draft",
                json!(["data", "written", "document", "notice", "working_days"]),
            ),
            json!(4),
            "the hash of the policy",
        ),
        (
            Place(
                "pitch_session",
                "draw",
                json!(["data", "drawn", "draw", "seed"]),
            ),
            json!("77756a696e20323032342d30372d303220726f616473686f78"),
            "not the one committed to",
        ),
        (
            Place(
                "pitch_session",
                "draw",
                json!(["data", "drawn", "draw", "order", 0]),
            ),
            json!("WJ2024-0000-0000"),
            "another order",
        ),
        (
            Place(
                "pitch_session",
                "commit_draw",
                json!(["data", "committed", "commitment"]),
            ),
            json!("00".repeat(32)),
            "not the one committed to",
        ),
        (
            Place(
                "slot",
                "finish",
                json!(["data", "finished", "overrun_seconds"]),
            ),
            json!(90),
            "0 seconds too long, not 90",
        ),
        (
            Place("notice", "publish", json!(["data", "published", "ends_at"])),
            json!("2024-07-15T15:59:59.999Z"),
            "working days from",
        ),
        (
            Place(
                "notice",
                "publish",
                json!(["data", "published", "rows", 0, "award"]),
            ),
            json!(6_000_000),
            "another award",
        ),
        (
            Place("notice", "publish", json!(["at"])),
            json!(1_720_000_000_000_i64),
            "older than",
        ),
    ]
}

fn every_change_is_found(folder: &Path, file: &Value, most: usize) {
    let read: Export = serde_json::from_value(file.clone()).unwrap();
    for (place, value, _) in changes().into_iter().take(most) {
        let mut changed = read.clone();
        *place.of(&mut changed) = value;
        assert_ne!(changed, read);
        let (code, said) = verify(folder, &json!(changed), "en");
        assert_eq!(code, 1, "{} {} {}: {said}", place.0, place.1, place.2);
        assert!(said.contains("its hash does not follow"), "{said}");
    }
    let other = json!("11".repeat(32));
    let plain: [&dyn Fn(&mut Value); 9] = [
        &|file| {
            let note = file["signed"]["checkpoint"].as_str().unwrap().to_owned();
            file["signed"]["checkpoint"] = json!(note.replacen('\n', "\n1", 1));
        },
        &|file| file["signed"]["key"] = json!("fundcycle+00000000+AQ=="),
        &|file| file["entries"][10]["hash"] = other.clone(),
        &|file| file["entries"][0]["content"]["hidden"][0] = other.clone(),
        &|file| file["entries"][0]["content"]["shown"][0]["salt"] = other.clone(),
        &|file| file["cycle"] = json!("0199aaaa-0000-7000-8000-000000000000"),
        &|file| file["format"] = json!("fundcycle-verification/0"),
        &|file| file["comment"] = json!("looks fine"),
        &|file| drop(file["entries"].as_array_mut().unwrap().remove(40)),
    ];
    for (number, change) in plain.iter().enumerate().take(most) {
        let mut changed = file.clone();
        change(&mut changed);
        let (code, said) = verify(folder, &changed, "en");
        assert_eq!(code, 1, "{number}: {said}");
    }
    let (code, _) = verify(folder, &json!("no file"), "en");
    assert_eq!(code, 1);
    let missing = run(folder, &["verify", "missing.json"]);
    assert_eq!(missing.status.code(), Some(2));
}

/// Who controls the record can give every entry a fitting hash; the results still follow from each other.
fn a_file_that_was_chained_anew_still_has_to_add_up(file: &Value) {
    let calendar = WorkingDayCalendar::china().unwrap();
    let read: Export = serde_json::from_value(file.clone()).unwrap();
    for (place, value, says) in changes() {
        let mut export = read.clone();
        *place.of(&mut export) = value;
        let mut before = vec![0; 32];
        for line in &mut export.entries {
            line.hash = to_hex(&chained(&before, &line.content.hash().unwrap()));
            before = digest(&line.hash).unwrap().to_vec();
        }
        // Not even then is it what was signed.
        let forged = check(&export, None, &calendar);
        let mut forged = forged.iter().filter(|one| !one.holds);
        assert!(forged.any(|one| one.text.en.contains("are not the ones that were signed")));
        export.signed = None;
        let said = check(&export, None, &calendar);
        let differ: Vec<String> = said
            .into_iter()
            .filter(|one| !one.holds)
            .map(|one| one.text.en)
            .collect();
        let all = differ.join("; ");
        assert!(!all.contains("its hash does not follow"), "{all}");
        assert_eq!(differ.is_empty(), says.is_empty(), "{all}");
        assert!(
            all.contains(says),
            "{} {} {}: {all}",
            place.0,
            place.1,
            place.2
        );
    }
}

/// Whatever happens to its bytes, it is not read, or it does not hold, or it says the same as before.
fn a_spoilt_file_is_told_apart(file: &Value) {
    let calendar = WorkingDayCalendar::china().unwrap();
    let read: Export = serde_json::from_value(file.clone()).unwrap();
    let text = file.to_string();
    for seed in 0..40 {
        let spoilt = Chance::of(seed).spoilt(text.as_bytes());
        let Ok(export) = serde_json::from_slice::<Export>(&spoilt) else {
            continue;
        };
        let all_holds = check(&export, None, &calendar).iter().all(|one| one.holds);
        assert!(!all_holds || export == read, "seed {seed}");
    }
}
