//! Files in and out: measured, typed by content, limited, and nobody else's.

use data_encoding::{BASE64, HEXLOWER};
use fundcycle_test_support::{Database, on_both};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::office::Office;

/// Bytes of a file at most, in these tests.
const MOST: usize = 64 * 1024;

on_both!(files_come_back_as_they_were_sent_and_only_to_their_people);

async fn send(office: &Office, token: &str, name: &str, bytes: Vec<u8>) -> (u16, Value) {
    let answer = reqwest::Client::new()
        .post(format!(
            "{}{}/attachments?name={name}",
            office.server.address, office.draft
        ))
        .bearer_auth(token)
        .header("content-type", "application/octet-stream")
        .body(bytes)
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

fn pdf(size: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    bytes.resize(size, b'x');
    bytes
}

async fn files_come_back_as_they_were_sent_and_only_to_their_people(database: Database) {
    let office = Office::open(&database, &["--upload-limit", &MOST.to_string()]).await;
    let bytes = pdf(MOST);
    let (status, made) = send(&office, &office.owner, "plan.docx", bytes.clone()).await;
    assert_eq!(status, 201, "{made}");
    let digest = Sha256::digest(&bytes);
    assert_eq!(made["media_type"], "application/pdf");
    assert_eq!(made["size"], MOST);
    assert_eq!(made["sha256"], HEXLOWER.encode(&digest));

    let content = format!(
        "{}/v1/attachments/{}/content",
        office.server.address,
        made["id"].as_str().unwrap()
    );
    let get = async |token: &str| {
        reqwest::Client::new()
            .get(&content)
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
    };
    let answer = get(&office.owner).await;
    assert_eq!(answer.headers()["content-type"], "application/pdf");
    assert_eq!(
        answer.headers()["repr-digest"].to_str().unwrap(),
        format!("sha-256=:{}:", BASE64.encode(&digest))
    );
    assert_eq!(answer.bytes().await.unwrap(), bytes);
    assert_eq!(get(&office.stranger).await.status(), 404);

    refusals(&office).await;
    the_count_is_limited(&office).await;
}

async fn refusals(office: &Office) {
    let before = office.state().await;
    for (token, bytes, expected) in [
        (&office.owner, pdf(MOST + 1), 413),
        (&office.owner, b"MZ\x90\0\x03".to_vec(), 415),
        (&office.owner, b"<!DOCTYPE html><script>".to_vec(), 415),
        (&office.owner, Vec::new(), 415),
        (&office.stranger, pdf(100), 404),
    ] {
        let (status, problem) = send(office, token, "file.pdf", bytes).await;
        assert_eq!(status, expected, "{problem}");
    }
    assert_eq!(office.state().await, before);
}

async fn the_count_is_limited(office: &Office) {
    for number in 2..=15 {
        let (status, made) = send(office, &office.owner, "more.pdf", pdf(100 + number)).await;
        assert_eq!(status, 201, "{made}");
    }
    let (status, problem) = send(office, &office.owner, "more.pdf", pdf(200)).await;
    assert_eq!(status, 422, "{problem}");
}
