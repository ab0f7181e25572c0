//! The second factor: what staff may do before they have one, what a code opens, and how often.

use data_encoding::BASE32_NOPAD;
use fundcycle_test_support::{Database, on_both};
use ring::hmac;
use serde_json::{Value, json};

use crate::office::{PASSWORD, found, register};
use crate::support::{Server, err, out, run};

on_both!(staff_sign_in_with_a_second_factor_and_each_code_once);

/// The code of a program on a telephone, worked out by the test itself.
fn code(secret: &str, at: i64) -> String {
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let tag = hmac::sign(&key, &(at / 30).to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[19] & 15);
    let four: [u8; 4] = tag[offset..offset + 4].try_into().unwrap();
    let number = u32::from_be_bytes(four) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// 2024-04-22T08:30:00+08:00, when the database begins.
const BEGIN: i64 = 1_713_745_800;

struct Person<'a> {
    server: &'a Server,
    email: &'a str,
}

impl Person<'_> {
    async fn signs_in(&self, code: Option<&str>) -> (u16, Value) {
        let mut body = json!({ "email": self.email, "password": PASSWORD });
        if let Some(code) = code {
            body["code"] = json!(code);
        }
        self.server
            .ask("POST", "/v1/sign-in", None, Some(body))
            .await
    }
}

async fn staff_sign_in_with_a_second_factor_and_each_code_once(database: Database) {
    let folder = database.folder.path();
    found(folder, &database.url);
    let flags = [
        "--time-travel",
        "--second-factor",
        "staff",
        "--secret-key",
        "secret.key",
    ];
    let server = Server::start(folder, &database.url, &flags);
    let post = async |path: &str, token: &str, body: Value| {
        server.ask("POST", path, Some(token), Some(body)).await
    };
    let get = async |path: &str, token: &str| server.ask("GET", path, Some(token), None).await;
    let admin = Person {
        server: &server,
        email: "admin@example.org",
    };

    // Without one, nothing but getting one.
    let (_, said) = admin.signs_in(None).await;
    let first = said["token"].as_str().unwrap().to_owned();
    let (status, said) = get("/v1/accounts", &first).await;
    assert_eq!(
        (status, &said["type"]),
        (403, &json!("/problems/second_factor_required")),
        "{said}"
    );
    let (status, me) = get("/v1/me", &first).await;
    assert_eq!(
        (status, &me["second_factor"]["required"]),
        (200, &json!(true)),
        "{me}"
    );
    let applicant = register(&server, "applicant").await;
    assert_eq!(get("/v1/accounts", &applicant).await.0, 200);

    let offer = "/v1/me/second-factor";
    let (status, _) = post(offer, &first, json!({ "password": "not the password" })).await;
    assert_eq!(status, 422);
    let (status, offered) = post(offer, &first, json!({ "password": PASSWORD })).await;
    assert_eq!(status, 200, "{offered}");
    let secret = offered["secret"].as_str().unwrap();
    let address = offered["address"].as_str().unwrap();
    assert!(
        address.starts_with("otpauth://totp/") && address.contains(secret),
        "{address}"
    );
    let confirm = "/v1/me/second-factor/confirm";
    let (status, _) = post(confirm, &first, json!({ "code": "000000" })).await;
    assert_eq!(status, 422);
    let now = code(secret, BEGIN);
    let (status, confirmed) = post(confirm, &first, json!({ "code": now })).await;
    assert_eq!(status, 200, "{confirmed}");
    let codes = confirmed["recovery_codes"].as_array().unwrap();
    assert_eq!(codes.len(), 10);
    let token = confirmed["token"].as_str().unwrap();
    assert_eq!(get("/v1/accounts", token).await.0, 200);
    // Whoever signed in without it is out.
    assert_eq!(get("/v1/me", &first).await.0, 401);

    // The password alone is not enough, and is no failure; a code is taken once.
    for _ in 0..8 {
        let (status, said) = admin.signs_in(None).await;
        assert_eq!(
            (status, &said["type"]),
            (401, &json!("/problems/second_factor_needed")),
            "{said}"
        );
    }
    assert_eq!(
        admin.signs_in(Some(&now)).await.0,
        401,
        "it was taken when it was confirmed"
    );
    let next = code(secret, BEGIN + 30);
    assert_eq!(
        admin.signs_in(Some(&next)).await.0,
        200,
        "clocks may differ"
    );
    assert_eq!(admin.signs_in(Some(&next)).await.0, 401, "taken twice");
    // An earlier code is not taken after a later one.
    let later = json!({ "now": "2024-04-22T08:31:30+08:00" });
    let (status, said) = server
        .ask("PUT", "/v1/clock", Some(token), Some(later))
        .await;
    assert_eq!(status, 200, "{said}");
    let two = [code(secret, BEGIN + 60), code(secret, BEGIN + 90)];
    let mut taken = 0;
    let both = [admin.signs_in(Some(&two[1])), admin.signs_in(Some(&two[1]))];
    for (status, _) in futures_util::future::join_all(both).await {
        taken += usize::from(status == 200);
    }
    assert_eq!(taken, 1, "the same code at the same time");
    assert_eq!(admin.signs_in(Some(&two[0])).await.0, 401);

    // Codes for emergencies, as they are shown; each once.
    let printed = codes[0].as_str().unwrap();
    assert_eq!(admin.signs_in(Some(printed)).await.0, 200);
    assert_eq!(admin.signs_in(Some(printed)).await.0, 401);
    let (_, me) = get("/v1/me", token).await;
    assert_eq!(
        me["second_factor"],
        json!({ "in_use": true, "required": true, "recovery_codes": 9 })
    );

    // Guessed codes wait as guessed passwords do.
    let mut statuses = Vec::new();
    for guess in 0..6 {
        statuses.push(admin.signs_in(Some(&format!("00000{guess}"))).await.0);
    }
    assert!(statuses.contains(&429), "{statuses:?}");

    // Neither the secret nor a code stands in the database, and a lost telephone is helped on the machine.
    let reset = [
        "admin",
        "reset-second-factor",
        "--email",
        "admin@example.org",
        "--database",
        &database.url,
    ];
    let done = run(folder, &reset);
    assert_eq!(done.status.code(), Some(0), "{}{}", out(&done), err(&done));
    assert_eq!(run(folder, &reset).status.code(), Some(1));
    assert_eq!(get("/v1/me", token).await.0, 401);
    for file in ["fundcycle.db", "fundcycle.db-wal"] {
        let kept = std::fs::read(folder.join(file)).unwrap_or_default();
        let raw = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
        let kept_as = printed.replace('-', "").to_uppercase();
        for hidden in [
            secret.as_bytes(),
            &raw,
            printed.as_bytes(),
            kept_as.as_bytes(),
        ] {
            assert!(
                !kept.windows(hidden.len()).any(|part| part == hidden),
                "{file}"
            );
        }
    }
}
