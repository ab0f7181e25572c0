//! Documents of a played cycle: what they say, to whom, in which format; and that nothing that people
//! typed is ever calculated.

mod archived;
mod money;

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::support::{Server, err, run};
use crate::walk::PASSWORD;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// What somebody calls their organisation in the hope that a spreadsheet runs it.
const FORMULA: &str = "=HYPERLINK(\"http://example.invalid/\",\"<b>点击</b>\")";
const NOT_THERE: &str = "0199aaaa-0000-7000-8000-000000000000";

on_both!(documents_say_what_their_reader_may_see);

async fn documents_say_what_their_reader_may_see(database: Database) {
    let folder = database.folder.path();
    let played = run(folder, &["demo", "--database", &database.url]);
    assert_eq!(played.status.code(), Some(0), "{}", err(&played));
    let server = Server::start(folder, &database.url, &["--time-travel"]);
    let office = Office::open(&server).await;
    office.the_first_organisation_renames_itself().await;

    the_score_summary_shows_every_total(&office).await;
    what_was_typed_stays_text(&office).await;
    the_selection_adds_up(&office).await;
    the_notice_is_for_everybody(&office).await;
    letters_are_for_those_they_are_addressed_to(&office).await;
    nobody_else_learns_that_there_is_a_document(&office).await;
    formats_and_languages_are_negotiated(&office).await;
    money::the_ledger_adds_up(&office).await;
    money::open_data_can_be_published(&office).await;
    money::the_statistics_count_everybody(&office).await;
    money::a_closed_project_has_its_papers(&office).await;
    archived::a_closed_project_is_kept_as_one_file(&office, database.folder.path()).await;
}

/// Everybody who asks, and the records they ask about.
struct Office<'a> {
    server: &'a Server,
    cycle: String,
    tokens: BTreeMap<&'static str, String>,
    panel: Value,
    experts: Vec<String>,
}

impl<'a> Office<'a> {
    async fn open(server: &'a Server) -> Self {
        let mut tokens = BTreeMap::new();
        for name in [
            "staff", "lead", "finance", "admin", "expert1", "org01", "org02",
        ] {
            let email = format!("{name}@demo.invalid");
            tokens.insert(name, server.sign_in(&email, PASSWORD).await);
        }
        let staff = Some(tokens["staff"].as_str());
        let list = async |path: &str| server.ask("GET", path, staff, None).await.1["items"].clone();
        let cycle = list("/v1/cycles").await[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let panels = list(&format!("/v1/cycles/{cycle}/panels?facet=paper_review")).await;
        let experts = list("/v1/experts?limit=100").await;
        Self {
            server,
            panel: panels[0].clone(),
            experts: experts
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["profile"]["name"].as_str().unwrap().to_owned())
                .collect(),
            cycle,
            tokens,
        }
    }

    async fn list(&self, who: &str, plural: &str) -> Vec<Value> {
        let path = format!("/v1/cycles/{}/{plural}", self.cycle);
        let token = Some(self.tokens[who].as_str());
        let (status, list) = self.server.ask("GET", &path, token, None).await;
        assert_eq!(status, 200, "{list}");
        list["items"].as_array().unwrap().clone()
    }

    async fn text(&self, who: &str, path: &str) -> (u16, String) {
        let token = self.tokens.get(who).map(String::as_str);
        let (status, _, body) = self.server.fetch(path, token, &[]).await;
        (status, String::from_utf8(body).unwrap())
    }

    async fn sheet(&self, who: &str, path: &str) -> Vec<Vec<Data>> {
        let token = self.tokens.get(who).map(String::as_str);
        let (status, headers, body) = self.server.fetch(path, token, &[]).await;
        assert_eq!(
            (status, &headers["content-type"]),
            (200, &XLSX.parse().unwrap())
        );
        opens_in_an_office_suite(&body);
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(body)).unwrap();
        let first = book.sheet_names()[0].clone();
        let formulas = book.worksheet_formula(&first).unwrap();
        assert!(formulas.cells().all(|(_, _, text)| text.is_empty()));
        let range = book.worksheet_range(&first).unwrap();
        range.rows().map(<[Data]>::to_vec).collect()
    }

    fn summary(&self) -> String {
        format!(
            "/v1/panels/{}/documents/score-summary",
            self.panel["id"].as_str().unwrap()
        )
    }

    async fn the_first_organisation_renames_itself(&self) {
        let token = Some(self.tokens["org01"].as_str());
        let (_, own) = self
            .server
            .ask("GET", "/v1/organisations", token, None)
            .await;
        let record = format!(
            "/v1/organisations/{}",
            own["items"][0]["id"].as_str().unwrap()
        );
        let (_, tag, known) = self.server.ask_with("GET", &record, token, None, &[]).await;
        let mut profile = known["profile"].clone();
        profile["name"] = json!(FORMULA);
        let body = Some(json!({ "profile": profile }));
        let path = format!("{record}/amend");
        let tag = tag.unwrap();
        let headers = [("if-match", tag.as_str())];
        let (status, _, said) = self
            .server
            .ask_with("POST", &path, token, body, &headers)
            .await;
        assert_eq!(status, 200, "{said}");
    }
}

/// The workbook is opened by the office suite, where one is installed: what was typed is still there
/// as it was typed, and nothing was calculated.
fn opens_in_an_office_suite(workbook: &[u8]) {
    let folder = fundcycle_test_support::temp_dir();
    let file = folder.path().join("paper.xlsx");
    std::fs::write(&file, workbook).unwrap();
    let profile = folder.path().join("profile");
    let output = std::process::Command::new("soffice")
        .arg(format!(
            "-env:UserInstallation=file://{}",
            profile.display()
        ))
        .args(["--headless", "--convert-to"])
        // Commas, double quotes, UTF-8, from the first line.
        .arg("csv:Text - txt - csv (StarCalc):44,34,76,1")
        .arg("--outdir")
        .arg(folder.path())
        .arg(&file)
        .output();
    match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!(
                "SKIPPED: opening a workbook in LibreOffice; install the package libreoffice-calc"
            );
        }
        Err(error) => panic!("{error}"),
        Ok(output) => {
            let converted = std::fs::read_to_string(folder.path().join("paper.csv"));
            let text = converted.unwrap_or_else(|error| panic!("{error}: {output:?}"));
            assert!(text.lines().count() > 3, "{text}");
            assert!(text.contains(&FORMULA.replace('"', "\"\"")), "{text}");
        }
    }
}

/// Every total of every expert stands in their column; what was dropped is marked; all can sign.
async fn the_score_summary_shows_every_total(office: &Office<'_>) {
    let (status, page) = office.text("staff", &office.summary()).await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("<html lang=\"zh-CN\">") && page.contains("<h1>评分汇总表</h1>"));
    let results = office.panel["results"].as_array().unwrap();
    let dropped: usize = results
        .iter()
        .map(|one| one["dropped"].as_array().unwrap().len())
        .sum();
    assert!(dropped > 0, "the policy drops the highest and the lowest");
    assert_eq!(page.matches("<s>").count(), dropped);
    assert_eq!(page.matches("<small>(去)</small>").count(), dropped);
    assert_eq!(page.matches("<th scope=\"row\">").count(), results.len());
    let seated: Vec<&String> = office
        .experts
        .iter()
        .filter(|name| page.contains(&format!("<th scope=\"col\" class=\"n\">{name}</th>")))
        .collect();
    assert_eq!(seated.len(), 5, "{page}");
    for name in seated {
        assert!(
            page.contains(&format!("<p><span>{name}</span>")),
            "{name} signs"
        );
    }

    let rows = office
        .sheet("staff", &format!("{}?format=xlsx", office.summary()))
        .await;
    let heading = rows
        .iter()
        .position(|row| row[0] == Data::String("名次".into()))
        .unwrap();
    let score = rows[heading]
        .iter()
        .position(|cell| *cell == Data::String("得分".into()))
        .unwrap();
    for (row, result) in rows[heading + 1..].iter().zip(results) {
        let published: f64 = result["score"]["rounded"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(row[score], Data::Float(published));
        let mut totals: Vec<f64> = result["input"]["totals"]
            .as_object()
            .unwrap()
            .values()
            .map(|total| total.as_str().unwrap().parse().unwrap())
            .collect();
        let mut shown: Vec<f64> = row[5..score]
            .iter()
            .filter_map(|cell| match cell {
                Data::Float(total) => Some(*total),
                _ => None,
            })
            .collect();
        totals.sort_by(f64::total_cmp);
        shown.sort_by(f64::total_cmp);
        assert_eq!(shown, totals);
    }
}

/// In every format: text in the page, a string in the workbook, quoted in the CSV file.
async fn what_was_typed_stays_text(office: &Office<'_>) {
    let (_, page) = office.text("staff", &office.summary()).await;
    assert!(page.contains("&lt;b&gt;点击") && !page.contains("<b>点击"));
    let rows = office
        .sheet("staff", &format!("{}?format=xlsx", office.summary()))
        .await;
    let typed = Data::String(FORMULA.to_owned());
    assert_eq!(rows.iter().filter(|row| row[3] == typed).count(), 1);
    let (_, csv) = office
        .text("staff", &format!("{}?format=csv", office.summary()))
        .await;
    assert!(csv.starts_with('\u{feff}') && csv.contains("\r\n"));
    let mut reader = csv::Reader::from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
    let cells: Vec<String> = reader
        .records()
        .flat_map(|record| {
            record
                .unwrap()
                .iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(cells.contains(&format!("'{FORMULA}")));
    assert!(
        cells
            .iter()
            .all(|cell| !cell.starts_with(['=', '+', '-', '@']))
    );
}

/// The awards of the selection add up, in figures and in capital numerals; each line has its reason.
async fn the_selection_adds_up(office: &Office<'_>) {
    let selection = &office.list("staff", "selections?stage=announced").await[0];
    let path = format!(
        "/v1/selections/{}/documents/selection",
        selection["id"].as_str().unwrap()
    );
    let lines = selection["run"]["lines"].as_array().unwrap();
    let awarded: i64 = lines
        .iter()
        .map(|line| line["award"].as_i64().unwrap())
        .sum();
    let rows = office.sheet("lead", &format!("{path}?format=xlsx")).await;
    #[expect(clippy::cast_precision_loss, reason = "a sum of awards is small")]
    let total = Data::Float(awarded as f64 / 100.0);
    assert!(
        rows.iter()
            .any(|row| row[2] == Data::String("合计".into()) && row[8] == total)
    );
    let (_, page) = office.text("lead", &path).await;
    let capital =
        fundcycle_core::numerals::capital_numerals(fundcycle_core::money::Money::from_fen(awarded));
    assert!(page.contains(&format!("<dd>{capital}</dd>")), "{page}");
    for line in lines {
        let number = line["number"].as_str().unwrap();
        assert!(page.contains(&format!("<td>{number}</td>")), "{number}");
    }
}

/// Who has not signed in reads the notice, and finds no expert in it.
async fn the_notice_is_for_everybody(office: &Office<'_>) {
    let notice = &office.list("staff", "notices").await[0];
    let path = format!(
        "/v1/notices/{}/documents/notice",
        notice["id"].as_str().unwrap()
    );
    let (status, page) = office.text("public", &path).await;
    assert_eq!(status, 200);
    for row in notice["rows"].as_array().unwrap() {
        assert!(page.contains(row["number"].as_str().unwrap()));
    }
    assert!(page.contains("公示期自") && page.contains("实名书面"));
    for name in &office.experts {
        assert!(!page.contains(name), "{name} is on the notice");
    }
}

/// Award and result letters: to the organisation and the bureau, without names, scores or places.
async fn letters_are_for_those_they_are_addressed_to(office: &Office<'_>) {
    let award = &office.list("org01", "awards").await[0];
    let path = format!(
        "/v1/awards/{}/documents/award-letter",
        award["id"].as_str().unwrap()
    );
    let (status, letter) = office.text("org01", &path).await;
    assert_eq!(status, 200, "{letter}");
    let amount = fundcycle_core::money::Money::from_fen(award["amount"].as_i64().unwrap());
    let capital = fundcycle_core::numerals::capital_numerals(amount);
    for expected in [
        capital.as_str(),
        award["letter"].as_str().unwrap(),
        award["title"].as_str().unwrap(),
    ] {
        assert!(letter.contains(expected), "{expected}: {letter}");
    }
    assert_eq!(office.text("staff", &path).await.0, 200);
    for stranger in ["org02", "expert1", "admin"] {
        assert_eq!(office.text(stranger, &path).await.0, 404, "{stranger}");
    }

    let refused = office
        .list(
            "staff",
            "applications?stage=not_shortlisted,not_selected,ineligible&limit=100",
        )
        .await;
    assert!(!refused.is_empty());
    for application in &refused {
        let path = format!(
            "/v1/applications/{}/documents/result-letter",
            application["id"].as_str().unwrap()
        );
        let (status, letter) = office.text("staff", &path).await;
        assert_eq!(status, 200);
        assert!(letter.contains("申报结果通知书") && letter.contains("项目,"));
        for name in &office.experts {
            assert!(!letter.contains(name), "{name} is in a letter");
        }
        assert_eq!(office.text("org01", &path).await.0, 404);
    }
}

/// A document that is not for the caller answers exactly like one of a record that does not exist.
async fn nobody_else_learns_that_there_is_a_document(office: &Office<'_>) {
    let absent = format!("/v1/panels/{NOT_THERE}/documents/score-summary");
    for (who, status) in [
        ("staff", 200),
        ("lead", 200),
        ("finance", 404),
        ("admin", 404),
        ("expert1", 404),
        ("org01", 404),
    ] {
        let seen = office.text(who, &office.summary()).await;
        assert_eq!(seen.0, status, "{who}");
        if status == 404 {
            assert_eq!(seen, office.text(who, &absent).await, "{who}");
        }
    }
    assert_eq!(office.text("public", &office.summary()).await.0, 401);
    // There is no letter on a result that has not come about.
    let awarded = &office.list("org01", "applications").await[0];
    let early = format!(
        "/v1/applications/{}/documents/result-letter",
        awarded["id"].as_str().unwrap()
    );
    assert_eq!(office.text("org01", &early).await.0, 404);
}

async fn formats_and_languages_are_negotiated(office: &Office<'_>) {
    let (path, staff) = (office.summary(), Some(office.tokens["staff"].as_str()));
    let english = [("accept-language", "en"), ("accept", "text/html")];
    let (status, headers, body) = office.server.fetch(&path, staff, &english).await;
    let page = String::from_utf8(body).unwrap();
    assert_eq!(
        (status, &headers["content-language"]),
        (200, &"en".parse().unwrap())
    );
    assert!(page.contains("<h1>Score summary</h1>"), "{page}");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(
        headers["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("inline; filename*=UTF-8''")
    );

    let workbook = [("accept", XLSX)];
    let (_, headers, first) = office.server.fetch(&path, staff, &workbook).await;
    assert_eq!(headers["content-type"], XLSX);
    assert_eq!(
        headers["content-disposition"],
        "attachment; filename*=UTF-8''%E8%AF%84%E5%88%86%E6%B1%87%E6%80%BB%E8%A1%A8.xlsx"
    );
    let (_, _, again) = office.server.fetch(&path, staff, &workbook).await;
    assert_eq!(first, again, "the same records give the same bytes");
    let (status, ..) = office
        .server
        .fetch(&path, staff, &[("accept", "application/json")])
        .await;
    assert_eq!(status, 406);
    for query in ["format=pdf", "language=fr", "colour=red"] {
        let (status, ..) = office
            .server
            .fetch(&format!("{path}?{query}"), staff, &[])
            .await;
        assert_eq!(status, 400, "{query}");
    }
}
