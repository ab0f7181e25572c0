//! The record proves itself: to anybody over HTTP, to the holder of a receipt, to whoever kept a
//! checkpoint; and the key that signs is kept, changed and missed.

use std::path::Path;

use fundcycle_core::proof::Digest;
use fundcycle_core::proof::checkpoint::Checkpoint;
use fundcycle_core::proof::note::{Note, PublicKey};
use fundcycle_core::proof::path::{Head, verify_consistency, verify_inclusion};
use fundcycle_core::signing_key;
use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::support::{Server, err, out, run};
use crate::walk::text;

/// What this makes happen, as `kind verb`; the test finds each.
pub(crate) const VERBS: &[&str] = &["signing_key introduce", "signing_key retire"];

on_both!(
    anybody_can_check_the_heads_of_the_journals,
    a_receipt_is_given_to_its_holder_and_checked_offline,
    the_key_is_rotated_vouched_for_and_missed
);

fn play(database: &Database, until: &str) {
    let arguments = ["demo", "--until", until, "--database", &database.url];
    let played = run(database.folder.path(), &arguments);
    assert_eq!(played.status.code(), Some(0), "{}", err(&played));
}

fn serve(database: &Database) -> Server {
    Server::start(database.folder.path(), &database.url, &["--time-travel"])
}

/// Runs a command of `journal` on the database; gives its exit code and all that it said.
fn journal(database: &Database, arguments: &[&str]) -> (Option<i32>, String) {
    let all = [&["journal"], arguments, &["--database", &database.url]].concat();
    let output = run(database.folder.path(), &all);
    (output.status.code(), out(&output) + &err(&output))
}

/// What anybody is answered.
async fn public(server: &Server, path: &str) -> (u16, Value) {
    server.ask("GET", path, None, None).await
}

async fn keys(server: &Server) -> Vec<(String, PublicKey)> {
    let (status, list) = public(server, "/v1/signing-keys?sort=created_at").await;
    assert_eq!(status, 200, "{list}");
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|one| {
            let key = signing_key::parse(&text(one, "public_key")).unwrap();
            (text(one, "stage"), key)
        })
        .collect()
}

/// The head that a checkpoint speaks of, if one of the keys on record signed it.
async fn believed(server: &Server, answer: &Value) -> Head {
    let keys: Vec<PublicKey> = keys(server).await.into_iter().map(|(_, key)| key).collect();
    let note = Note::parse(&text(answer, "note")).unwrap();
    let (checkpoint, _) = Checkpoint::believed(&note, &keys).unwrap();
    assert_eq!(answer["size"], checkpoint.head.size);
    assert_eq!(answer["root"], checkpoint.head.root.to_string());
    assert_eq!(answer["origin"], checkpoint.origin.as_str());
    checkpoint.head
}

fn hashes(answer: &Value) -> Vec<Digest> {
    let path = answer["path"].as_array().unwrap().iter();
    path.map(|one| one.as_str().unwrap().parse().unwrap())
        .collect()
}

async fn anybody_can_check_the_heads_of_the_journals(database: Database) {
    play(&database, "eligibility");
    let server = serve(&database);
    let desk = Desk::open(&server, &["admin", "staff"]).await;
    let cycle = desk.path("").rsplit('/').next().unwrap().to_owned();

    for which in [cycle.as_str(), "registry"] {
        let at = format!("/v1/journals/{which}");
        let (status, answer) = public(&server, &format!("{at}/checkpoint")).await;
        assert_eq!(status, 200, "{answer}");
        let head = believed(&server, &answer).await;
        let (_, same) = public(&server, &format!("{at}/checkpoints/{}", head.size)).await;
        assert_eq!(same, answer);

        for seq in [1, head.size / 2, head.size] {
            let (status, proof) = public(&server, &format!("{at}/inclusion?seq={seq}")).await;
            assert_eq!(
                (status, &proof["size"]),
                (200, &json!(head.size)),
                "{proof}"
            );
            let leaf: Digest = text(&proof, "leaf").parse().unwrap();
            verify_inclusion(leaf, seq - 1, head.size, &hashes(&proof), head.root).unwrap();
        }
        // What is not published is not there: how far a journal has grown tells what goes on.
        let (next, zero) = (head.size + 1, 0);
        for path in [
            format!("checkpoints/{next}"),
            format!("checkpoints/{zero}"),
            format!("inclusion?seq={next}"),
            format!("inclusion?seq={zero}"),
            format!("inclusion?seq=1&size={next}"),
            format!("consistency?from=1&to={next}"),
            format!("consistency?from={next}&to=1"),
        ] {
            let (status, answer) = public(&server, &format!("{at}/{path}")).await;
            assert_eq!(status, 404, "{path}: {answer}");
        }
        let (status, _) = public(&server, &format!("{at}/inclusion?seq=one")).await;
        assert_eq!(status, 400);
    }
    // A cycle that nobody may know of yet, and one that is not there.
    let draft = server
        .ask(
            "POST",
            "/v1/cycles",
            Some(desk.token("admin")),
            Some(json!({ "name": "2026" })),
        )
        .await;
    assert_eq!(draft.0, 201, "{}", draft.1);
    for id in [text(&draft.1, "id"), uuid()] {
        let (status, _) = public(&server, &format!("/v1/journals/{id}/checkpoint")).await;
        assert_eq!(status, 404);
    }

    // What was published before is the beginning of what is published later: the cycle moves, and a
    // day passes for the registry.
    let mut before = Vec::new();
    for which in [cycle.as_str(), "registry"] {
        let (_, answer) = public(&server, &format!("/v1/journals/{which}/checkpoint")).await;
        before.push((which, believed(&server, &answer).await));
    }
    desk.does(
        "admin",
        &format!("/v1/accounts/{}", desk.account("staff")),
        "grant",
        json!({ "grant": { "role": "auditor", "scope": "everywhere" } }),
    )
    .await;
    let (_, unchanged) = public(&server, "/v1/journals/registry/checkpoint").await;
    assert_eq!(unchanged["size"], before[1].1.size);
    later(&server, &desk, 2).await;
    for (which, first) in before {
        let at = format!("/v1/journals/{which}");
        let (_, answer) = public(&server, &format!("{at}/checkpoint")).await;
        let second = believed(&server, &answer).await;
        if which == "registry" {
            assert_eq!(second.size, first.size + 1);
        }
        let path = format!("{at}/consistency?from={}", first.size);
        let (status, proof) = public(&server, &path).await;
        assert_eq!(status, 200, "{proof}");
        verify_consistency(first, second, &hashes(&proof)).unwrap();
    }
}

/// Lets some days pass.
async fn later(server: &Server, desk: &Desk<'_>, days: i64) {
    let (_, clock) = public(server, "/v1/clock").await;
    let now: fundcycle_core::time::Timestamp = text(&clock, "now").parse().unwrap();
    let body = json!({ "now": now.plus_days(days) });
    let token = Some(desk.token("admin"));
    let (status, answer) = server.ask("PUT", "/v1/clock", token, Some(body)).await;
    assert_eq!(status, 200, "{answer}");
}

fn uuid() -> String {
    "0199aaaa-0000-7000-8000-000000000000".to_owned()
}

async fn a_receipt_is_given_to_its_holder_and_checked_offline(database: Database) {
    play(&database, "application");
    let server = serve(&database);
    let names = ["admin", "staff", "org01", "org02", "expert1"];
    let desk = Desk::open(&server, &names).await;
    let own = desk.list("org01", "/applications").await;
    let application = format!("/v1/applications/{}", text(&own[0], "id"));
    desk.does("org01", &application, "retract", json!({})).await;
    let tried = desk
        .does("org01", &application, "submit?dry_run=true", json!({}))
        .await;
    assert_eq!(tried["receipt"], Value::Null);
    let handed_in = desk.does("org01", &application, "submit", json!({})).await;
    let receipt = &handed_in["receipt"];
    assert_eq!(receipt["entry"]["id"], handed_in["id"]);
    assert_eq!(receipt["entry"]["verb"], "submit");
    let zh = text(&receipt["text"], "zh");
    assert!(
        zh.contains(&text(&handed_in, "number")) && zh.contains("提交"),
        "{zh}"
    );

    let path = format!("{application}/receipt");
    for who in ["org01", "staff"] {
        let (status, again) = desk.sees(who, &path).await;
        assert_eq!(status, 200, "{who}: {again}");
        // Of the same entry; the head that is signed may be a later one.
        assert_eq!(again["leaf"], receipt["leaf"], "{who}");
    }
    for who in ["org02", "expert1"] {
        assert_eq!(desk.sees(who, &path).await.0, 404, "{who}");
    }
    assert_eq!(public(&server, &path).await.0, 401);
    drop(server);

    let folder = database.folder.path();
    let good = check(folder, receipt, &[]);
    assert_eq!(good.0, Some(0), "{}", good.1);
    assert!(good.1.contains(&zh), "{}", good.1);
    let (_, key) = PublicKey::parse(&text(receipt, "key")).unwrap();
    let fingerprint = key.fingerprint().to_string();
    assert_eq!(check(folder, receipt, &["--key", &fingerprint]).0, Some(0));
    let other = "00".repeat(32);
    assert_eq!(check(folder, receipt, &["--key", &other]).0, Some(1));

    // Whatever is changed, it proves nothing any more.
    let changes: [fn(&mut Value); 9] = [
        |one| one["text"]["zh"] = json!("申报 X 已提交。"),
        |one| one["entry"]["data"]["submitted"]["form"]["title"] = json!("另一项目"),
        |one| one["entry"]["at"] = json!(one["entry"]["at"].as_i64().unwrap() - 1),
        |one| one["entry"]["actor"] = json!("system"),
        |one| one["salt"] = json!("00".repeat(32)),
        |one| one["previous"] = json!("00".repeat(32)),
        |one| one["path"] = json!([]),
        |one| one["checkpoint"] = json!(text(one, "checkpoint").replacen('\n', "\n1", 1)),
        |one| one["fundcycle_receipt"] = json!(2),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut changed = receipt.clone();
        change(&mut changed);
        let (code, said) = check(folder, &changed, &[]);
        assert_eq!(code, Some(1), "change {number}: {said}");
        assert!(said.contains("proves nothing"), "{said}");
    }
    let (code, said) = check(folder, &json!({}), &[]);
    assert_eq!(code, Some(2), "{said}");
}

/// What the command line says of a receipt, in a folder without any database.
fn check(folder: &Path, receipt: &Value, more: &[&str]) -> (Option<i32>, String) {
    let file = folder.join("receipt.json");
    std::fs::write(&file, receipt.to_string()).unwrap();
    let file = file.display().to_string();
    let arguments = [&["journal", "verify", "--receipt", &file], more].concat();
    let output = run(fundcycle_test_support::temp_dir().path(), &arguments);
    (output.status.code(), out(&output) + &err(&output))
}

async fn the_key_is_rotated_vouched_for_and_missed(database: Database) {
    play(&database, "preparing");
    let folder = database.folder.path();
    let (code, said) = journal(&database, &["checkpoint", "--out", "kept"]);
    assert_eq!(code, Some(0), "{said}");
    let kept: Vec<&str> = said.lines().collect();
    assert_eq!(kept.len(), 2, "{said}");
    let against = |files: &[&str]| {
        let each = files.iter().flat_map(|file| ["--against", file]);
        let all: Vec<&str> = ["verify"].into_iter().chain(each).collect();
        journal(&database, &all)
    };
    let (code, said) = against(&kept);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("consistent").count(), 2, "{said}");

    // The key changes while the service runs; it signs with the new one from then on.
    let server = serve(&database);
    let desk = Desk::open(&server, &["admin"]).await;
    let first = keys(&server).await;
    assert_eq!(first.len(), 1);
    let (code, said) = journal(&database, &["key", "rotate"]);
    assert_eq!(code, Some(0), "{said}");
    let both = keys(&server).await;
    let stages: Vec<&str> = both.iter().map(|(stage, _)| stage.as_str()).collect();
    assert_eq!(stages, ["retired", "current"]);
    assert!(
        said.contains(&both[1].1.fingerprint().to_string()),
        "{said}"
    );
    later(&server, &desk, 2).await;
    let (_, answer) = public(&server, "/v1/journals/registry/checkpoint").await;
    let note = Note::parse(&text(&answer, "note")).unwrap();
    let (_, signed) = Checkpoint::believed(&note, &[both[0].1, both[1].1]).unwrap();
    assert_eq!(signed, both[1].1);
    drop(server);
    // What the old key signed still stands.
    let (code, said) = against(&kept);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = journal(&database, &["key", "list"]);
    assert_eq!((code, said.lines().count()), (Some(0), 2), "{said}");

    // A checkpoint of another record, or of nothing, is told apart.
    let other = Database::sqlite();
    play(&other, "preparing");
    let (_, foreign) = journal(&other, &["checkpoint", "--out", "kept"]);
    let foreign = other.folder.path().join(foreign.lines().next().unwrap());
    let (code, said) = against(&[&foreign.display().to_string()]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("not of this record"), "{said}");
    std::fs::write(folder.join("nothing"), "hello").unwrap();
    assert_eq!(against(&["nothing"]).0, Some(2));
    assert_eq!(against(&["none"]).0, Some(2));

    // Readable by others, another one, gone: the service says what to do instead of signing anew.
    let file = key_file(&database);
    let serves = || {
        let output = run(
            folder,
            &["serve", "--time-travel", "--database", &database.url],
        );
        (output.status.code(), err(&output))
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode));
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        mode(0o644).unwrap();
        let (code, said) = serves();
        assert_eq!(code, Some(2));
        assert!(said.contains("chmod 600"), "{said}");
        mode(0o600).unwrap();
    }
    let away = folder.join("away");
    std::fs::rename(&file, &away).unwrap();
    let (code, said) = serves();
    assert_eq!(code, Some(2));
    assert!(said.contains("--lost"), "{said}");
    assert!(!Path::new(&file).exists());
    let (code, said) = journal(&database, &["key", "rotate"]);
    assert_eq!(code, Some(2), "{said}");

    // Lost for good: the record says so, for ever.
    let (code, said) = journal(&database, &["key", "rotate", "--lost", "硬盘损坏"]);
    assert_eq!(code, Some(0), "{said}");
    let server = serve(&database);
    assert_eq!(keys(&server).await.len(), 3);
    drop(server);
    let (code, said) = against(&kept);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("not vouched for") && said.contains("硬盘损坏"),
        "{said}"
    );
}

/// Where the key lies if nothing is said.
fn key_file(database: &Database) -> String {
    let folder = database.folder.path();
    let name = if database.is_postgres() {
        "fundcycle-signing.key"
    } else {
        "fundcycle.db.signing.key"
    };
    folder.join(name).display().to_string()
}
