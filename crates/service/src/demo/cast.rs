//! Who is in the play. Titles, organisations, domains, activities, dates and venues come from the
//! published source; everything else is made from a fixed seed and named in `synthetic`.

use fundcycle_core::uscc::Uscc;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The published source, as data.
const SOURCE: &str = include_str!("../../../../docs/examples/wujin-2024.json");

/// What happens to an application that is not among the fourteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// One of the fourteen projects.
    Funded,
    /// One of the fourteen, moved up from the reserve list.
    Promoted,
    /// First among the selected; loses the award to an objection.
    Objected,
    /// Stays on the reserve list.
    Reserve,
    /// Returned for correction, and never corrected.
    Expired,
    /// Rejected, checked again, and rejected again.
    Rejected,
    /// Withdrawn after the eligibility check.
    Withdrawn,
    /// Read by the experts and not shortlisted.
    NotShortlisted,
    /// Shortlisted, and absent from the roadshow.
    NoShow,
    /// Pitched and below the line.
    NotSelected,
}

/// One applicant with its application and its course through the cycle.
#[derive(Clone, Debug)]
pub(crate) struct Applicant {
    /// The number of the project in the source, or one above them.
    pub no: u32,
    /// What becomes of it.
    pub fate: Fate,
    /// The organisation's name.
    pub organisation: String,
    /// The names of the profile's fields that were made up.
    pub organisation_synthetic: Vec<&'static str>,
    /// A code that passes the check and is clearly not real.
    pub uscc: String,
    /// The project's title.
    pub title: String,
    /// The form, as sent.
    pub form: Value,
    /// About how good the text is, in points of 100.
    pub paper: u32,
    /// About how good the pitch is, in points of 100.
    pub pitch: u32,
    /// The day of the launch, `YYYY-MM-DD`.
    pub launch_date: String,
    /// Where it launches.
    pub launch_venue: String,
    /// Which of the two were made up.
    pub launch_synthetic: Vec<&'static str>,
}

/// The source cannot be read; it is part of the program, so this is a fault of the build.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CastError {
    /// It is not what is expected.
    #[error("the published source of the demonstration cannot be read: {0}")]
    Source(#[from] serde_json::Error),
    /// No valid code could be made.
    #[error("no valid credit code could be made for applicant {0}")]
    Code(u32),
}

#[derive(Deserialize)]
struct Source {
    projects: Vec<Project>,
}

#[derive(Deserialize)]
struct Project {
    no: u32,
    title: String,
    organization: Option<String>,
    domain: String,
    beneficiary_group: Option<String>,
    activities: Vec<String>,
    launch_date: Option<String>,
    launch_venue: Option<String>,
    summary: String,
}

/// A number below `below` that follows from the fixed seed and `what`.
pub(crate) fn number(what: &str, below: u32) -> u32 {
    let digest = Sha256::new()
        .chain_update("fundcycle demo 2024")
        .chain_update(what)
        .finalize();
    let start = digest
        .iter()
        .take(4)
        .fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
    start % below.max(1)
}

/// What each of the first thirteen asks for, in yuan; with the objected one's 40,000 they use up
/// the budget of 560,000, so that the fourteenth is on the reserve list until money becomes free.
const REQUESTS: [u32; 13] = [
    50_000, 45_000, 40_000, 38_000, 36_000, 42_000, 39_500, 50_000, 35_000, 33_000, 41_500, 30_000,
    40_000,
];

/// The unsuccessful applicants: fate, domain, points for the text and for the pitch.
const OTHERS: [(Fate, &str, u32, u32); 10] = [
    (Fate::Objected, "扶贫济困", 84, 84),
    (Fate::Reserve, "社区建设", 76, 75),
    (Fate::NoShow, "社区建设", 75, 0),
    (Fate::NotSelected, "其他公益", 70, 61),
    (Fate::NotShortlisted, "养老服务", 66, 0),
    (Fate::NotShortlisted, "助残助孤", 64, 0),
    (Fate::NotShortlisted, "社区建设", 62, 0),
    (Fate::Expired, "养老服务", 0, 0),
    (Fate::Rejected, "其他公益", 0, 0),
    (Fate::Withdrawn, "扶贫济困", 0, 0),
];

/// Everybody who applies: the fourteen of the source and ten made up.
///
/// # Errors
///
/// Where the embedded source cannot be read.
pub(crate) fn applicants() -> Result<Vec<Applicant>, CastError> {
    let source: Source = serde_json::from_str(SOURCE)?;
    let mut cast = Vec::new();
    for project in source.projects {
        cast.push(published(project)?);
    }
    for (index, (fate, domain, paper, pitch)) in (1_u32..).zip(OTHERS) {
        cast.push(invented(14 + index, fate, domain, paper, pitch)?);
    }
    Ok(cast)
}

fn published(project: Project) -> Result<Applicant, CastError> {
    let no = project.no;
    let promoted = no == 14;
    let requested = REQUESTS.get(no as usize - 1).copied().unwrap_or(38_000);
    let mut organisation_synthetic = vec![
        "uscc",
        "registered_on",
        "legal_representative",
        "phone",
        "address",
    ];
    if project.organization.is_none() {
        organisation_synthetic.push("name");
    }
    let mut launch_synthetic = Vec::new();
    if project.launch_date.is_none() {
        launch_synthetic.push("date");
    }
    if project.launch_venue.is_none() {
        launch_synthetic.push("venue");
    }
    Ok(Applicant {
        no,
        fate: if promoted {
            Fate::Promoted
        } else {
            Fate::Funded
        },
        organisation: project
            .organization
            .unwrap_or_else(|| "(演示)武进区慈善爱老服务社".to_owned()),
        organisation_synthetic,
        uscc: code(no)?,
        form: form(
            &project.title,
            &project.domain,
            &project.summary,
            &project.activities,
            project.beneficiary_group.as_deref(),
            requested,
            &[
                "need",
                "goals",
                "place",
                "starts_on",
                "ends_on",
                "lead",
                "indicators",
                "budget",
                "requested",
            ],
        ),
        title: project.title,
        paper: if promoted {
            80
        } else {
            84 + number(&format!("paper {no}"), 9)
        },
        pitch: if promoted {
            80
        } else {
            85 + number(&format!("pitch {no}"), 9)
        },
        launch_date: project
            .launch_date
            .unwrap_or_else(|| format!("2024-10-{:02}", no - 4)),
        launch_venue: project
            .launch_venue
            .unwrap_or_else(|| "(演示)武进区社会组织服务中心".to_owned()),
        launch_synthetic,
    })
}

fn invented(
    no: u32,
    fate: Fate,
    domain: &str,
    paper: u32,
    pitch: u32,
) -> Result<Applicant, CastError> {
    let title = format!("(演示){domain}示范项目 {no}");
    let activities = ["入户走访".to_owned(), "主题活动".to_owned()];
    let summary = format!("为演示而虚构的{domain}项目,不对应任何真实申报。");
    let everything = [
        "title",
        "domain",
        "summary",
        "activities",
        "beneficiaries",
        "need",
        "goals",
        "place",
        "starts_on",
        "ends_on",
        "lead",
        "indicators",
        "budget",
        "requested",
    ];
    let form = form(
        &title,
        domain,
        &summary,
        &activities,
        None,
        40_000,
        &everything,
    );
    Ok(Applicant {
        no,
        fate,
        organisation: format!("(演示)武进区公益服务中心 {no}"),
        organisation_synthetic: vec![
            "name",
            "uscc",
            "registered_on",
            "legal_representative",
            "phone",
            "address",
        ],
        uscc: code(no)?,
        title,
        form,
        paper,
        pitch,
        launch_date: String::new(),
        launch_venue: String::new(),
        launch_synthetic: Vec::new(),
    })
}

fn form(
    title: &str,
    domain: &str,
    summary: &str,
    activities: &[String],
    group: Option<&str>,
    requested_yuan: u32,
    synthetic: &[&str],
) -> Value {
    // Four lines that add up to the request: materials take what the others leave.
    let (staff, venue, publicity) = (
        requested_yuan * 40 / 100,
        requested_yuan * 15 / 100,
        requested_yuan * 5 / 100,
    );
    let line = |category: &str, item: &str, yuan: u32| json!({ "category": category, "item": item, "unit_price": yuan * 100, "quantity": 1, "funded_by": "grant" });
    let people = 40 + number(&format!("people {title}"), 160);
    json!({
        "title": title,
        "domain": domain,
        "summary": summary,
        "need": format!("(演示)经走访,{}存在持续而未被满足的服务需求。", group.unwrap_or("社区居民")),
        "goals": "(演示)形成稳定的志愿服务队伍,服务对象满意度不低于 90%。",
        "activities": activities,
        "beneficiaries": { "group": group.unwrap_or("社区居民"), "count": people, "unit": "people" },
        "place": "(演示)武进区",
        "starts_on": "2024-09-01",
        "ends_on": "2025-05-31",
        "lead": "(演示)项目负责人",
        "indicators": [
            { "name": "活动场次", "target": 12, "unit": "场" },
            { "name": "服务人次", "target": people * 4, "unit": "人次" },
        ],
        "budget": [
            line("人员补贴", "社工与志愿者补贴", staff),
            line("场地", "场地与设备租用", venue),
            line("宣传", "宣传物料", publicity),
            line("物资", "活动物资", requested_yuan - staff - venue - publicity),
        ],
        "requested": requested_yuan * 100,
        "pledge": true,
        "synthetic": synthetic,
    })
}

/// A code of a service agency in Wujin whose organisation part begins with MJDEMA, the mark of codes
/// that are not real; the two check characters are the ones that fit.
fn code(no: u32) -> Result<String, CastError> {
    const CHARACTERS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let stem = format!("52320412MJDEMA{:02}", 10 + no);
    CHARACTERS
        .chars()
        .flat_map(|first| CHARACTERS.chars().map(move |second| (first, second)))
        .map(|(first, second)| format!("{stem}{first}{second}"))
        .find(|code| Uscc::parse(code).is_ok())
        .ok_or(CastError::Code(no))
}
