//! The archive of a project that has ended: whole, the same at every fetch, and provable without the service.

use std::collections::BTreeMap;
use std::path::Path;

use fundcycle_core::proof::archive::MANIFEST;
use fundcycle_documents::archive::{pack, unpack};
use serde_json::{Value, json};

use super::Office;
use crate::support::{err, out, run};

type Files = BTreeMap<String, Vec<u8>>;

fn read(files: &Files, name: &str) -> Value {
    serde_json::from_slice(&files[name]).unwrap()
}

/// The bureau keeps a closed project as one file.
pub(super) async fn a_closed_project_is_kept_as_one_file(office: &Office<'_>, folder: &Path) {
    let projects = office.list("staff", "projects").await;
    let project = projects.iter().find(|one| one["stage"] == "closed");
    let project = project.unwrap()["id"].as_str().unwrap();
    let path = format!("/v1/projects/{project}/archive");
    for (who, status) in [
        ("org01", 404),
        ("org02", 404),
        ("expert1", 404),
        ("admin", 404),
        ("nobody", 401),
    ] {
        assert_eq!(office.text(who, &path).await.0, status, "{who}");
    }
    let fetched = async |who: &str| {
        let token = Some(office.tokens[who].as_str());
        let (status, headers, bytes) = office.server.fetch(&path, token, &[]).await;
        assert_eq!(
            (status, &headers["content-type"]),
            (200, &"application/zip".parse().unwrap())
        );
        bytes
    };
    let bytes = fetched("staff").await;
    assert_eq!(
        bytes,
        fetched("staff").await,
        "the same records, other bytes"
    );
    assert_eq!(bytes, fetched("finance").await);
    let files = unpack(&bytes).unwrap();
    it_is_whole(&files, project);
    it_is_proven(folder, &bytes, &files, project);
}

fn it_is_whole(files: &Files, project: &str) {
    let manifest = read(files, MANIFEST);
    assert_eq!(
        (&manifest["fundcycle_archive"], &manifest["project"]),
        (&json!(1), &json!(project))
    );
    let record = read(files, &format!("records/projects/{project}.json"));
    assert_eq!(record["stage"], "closed");
    for kind in [
        "tranches",
        "applications",
        "awards",
        "evaluations",
        "reports",
    ] {
        let folder = format!("records/{kind}/");
        assert!(files.keys().any(|name| name.starts_with(&folder)), "{kind}");
    }
    for name in ["award-letter", "final-statement", "certificate", "progress"] {
        for language in ["zh-CN", "en"] {
            let name = format!("documents/{name}.{language}.html");
            assert!(files.contains_key(&name), "{name}");
        }
    }
    assert!(read(files, "attachments.json").is_array());
    // Who scored is not kept with the project.
    assert!(!files.keys().any(|name| name.contains("sheets")));
    let is_entry = |name: &&String| name.starts_with("journal/0");
    let verbs: Vec<String> = files
        .keys()
        .filter(is_entry)
        .map(|name| read(files, name)["entry"]["verb"].as_str().unwrap().into())
        .collect();
    assert_eq!(manifest["journal"]["entries"], json!(verbs.len()));
    for verb in [
        "submit", "issue", "sign", "pay", "launch", "publish", "close",
    ] {
        assert!(verbs.iter().any(|one| one == verb), "{verb} in {verbs:?}");
    }
}

/// Exit code, and what is said.
fn verify(folder: &Path, bytes: &[u8], more: &[&str]) -> (i32, String) {
    let name = folder.join("archive.zip");
    std::fs::write(&name, bytes).unwrap();
    let file = name.to_str().unwrap();
    let arguments = [&["journal", "verify", "--archive", file], more].concat();
    let output = run(folder, &arguments);
    (output.status.code().unwrap(), out(&output) + &err(&output))
}

/// The program shows it without the service: every file as packed, every entry in the journal that was signed,
/// every record from its entries. Whatever is changed is found, also where the package is packed anew.
fn it_is_proven(folder: &Path, bytes: &[u8], files: &Files, project: &str) {
    let manifest = read(files, MANIFEST);
    let key = manifest["journal"]["key_fingerprint"].as_str().unwrap();
    let (code, said) = verify(folder, bytes, &["--key", key]);
    assert_eq!(code, 0, "{said}");
    let entries = manifest["journal"]["entries"].to_string();
    assert!(
        said.contains(&format!("follow from {entries} of")),
        "{said}"
    );
    let (code, said) = verify(folder, bytes, &["--key", &"ab".repeat(32)]);
    assert_eq!(code, 1, "{said}");

    let anew = |change: &dyn Fn(&mut Files)| {
        let mut files = files.clone();
        files.remove(MANIFEST);
        change(&mut files);
        let mut about = manifest.as_object().unwrap().clone();
        about.remove("files");
        pack(&files, about).unwrap()
    };
    let unchanged = anew(&|_| ());
    assert_eq!(unchanged, bytes, "it is its files and nothing else");
    let record = format!("records/projects/{project}.json");
    let entry = files.keys().find(|name| name.starts_with("journal/0"));
    let entry = entry.unwrap().clone();
    let edited = |files: &mut Files, name: &str, from: &str, to: &str| {
        let text = String::from_utf8(files[name].clone()).unwrap();
        assert!(text.contains(from), "{from} in {name}");
        files.insert(name.to_owned(), text.replacen(from, to, 1).into_bytes());
    };
    for (changed, finding) in [
        (
            anew(&|files| edited(files, &record, "\"refunded\": ", "\"refunded\": 1")),
            "does not follow from the entries",
        ),
        (
            anew(&|files| edited(files, &entry, "\"verb\": \"", "\"verb\": \"x")),
            "is not in the journal that was signed",
        ),
        (
            anew(&|files| {
                files.remove(&entry);
            }),
            "does not follow from the entries",
        ),
        (
            anew(&|files| {
                files.remove(&record);
            }),
            "is missing",
        ),
    ] {
        let (code, said) = verify(folder, &changed, &[]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(finding), "{finding}: {said}");
    }
}
