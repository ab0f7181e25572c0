//! The letter that grants an award (立项通知书), while it stands (`domain.md` §2.10).

use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::money::Money;
use fundcycle_core::numerals::capital_numerals;
use fundcycle_core::selection::Cut;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};
use uuid::Uuid;

use crate::Format;
use crate::cuts;
use crate::document::{Document, Source};
use crate::paper::{Paper, grouped};

pub(crate) const DOCUMENT: Document = Document {
    name: "award-letter",
    kind: Kind::Award,
    title: ("立项通知书", "Award letter"),
    eyes: &[Eye::Applicant, Eye::Staff],
    stages: &["issued", "accepted"],
    formats: &[Format::Html],
    needs,
    content,
};

fn needs(_: &Viewer, state: &State, _: &World) -> Vec<Need> {
    let application = state.index().parent;
    application
        .map(|id| Need::One(Kind::Application, id))
        .into_iter()
        .collect()
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let (language, view) = (source.language, source.record()?);
    let policy = source.programme()?;
    let (amount, due): (Money, Timestamp) = (view.read("amount")?, view.read("due")?);
    let (figure, capital) = (grouped(amount), capital_numerals(amount));
    let due = language.moment(due, &source.zone());
    let (organisation, title) = (view.text("organisation_name"), view.text("title"));
    let (domain, programme) = (view.text("domain"), policy.programme);
    let sign_days = policy.agreement.sign_working_days;
    let cuts: Vec<Cut> = view.read("cuts").unwrap_or_default();
    let application: Uuid = view.read("application")?;
    Some(Paper {
        number: Some(view.text("letter")),
        paragraphs: vec![
            language.choose(format!("{organisation}:"), format!("To {organisation}:")),
            language.choose(
                format!("你单位申报的“{title}”项目(领域:{domain})经评审和公示,决定予以立项资助,资助金额为人民币{capital}(¥{figure})。"),
                format!("After review and public notice, your project “{title}” (domain: {domain}) is granted {figure} yuan ({capital})."),
            ),
            language.choose(
                format!("请于{due}前在系统中确认;逾期未确认的,视为放弃立项。确认后请按资助金额完善实施方案,并在{sign_days}个工作日内签订资助协议。"),
                format!("Please accept it in the system by {due}; without an answer by then the award lapses. Then adjust the plan to the amount and sign the agreement within {sign_days} working days."),
            ),
            language.choose(
                format!("联系方式:{}", programme.contact),
                format!("Contact: {}", programme.contact),
            ),
        ],
        tables: cuts::of_one(source, application, &cuts)
            .into_iter()
            .collect(),
        seal: vec![
            programme.organiser,
            language.date(view.dated().date_in(&source.zone())),
        ],
        ..Paper::default()
    })
}
