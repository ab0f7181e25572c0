//! The certificate of a project that was closed as agreed (结项证书), with the grade of its final
//! evaluation (`domain.md` §2.14).

use fundcycle_core::evaluation::Evaluation;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::numerals::capital_numerals;
use fundcycle_core::policy::Round;
use fundcycle_core::project::Agreement;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};

use crate::Format;
use crate::document::{Document, Source, View};
use crate::paper::{Paper, grouped};

pub(crate) const DOCUMENT: Document = Document {
    name: "certificate",
    kind: Kind::Project,
    title: ("结项证书", "Certificate of completion"),
    eyes: &[Eye::Applicant, Eye::Staff],
    stages: &["closed"],
    formats: &[Format::Html],
    needs,
    content,
};

fn needs(_: &Viewer, state: &State, _: &World) -> Vec<Need> {
    vec![Need::PartsOf(Kind::Evaluation, state.id())]
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let (language, view) = (source.language, source.record()?);
    let agreement: Agreement = view.read("agreement")?;
    let closed_at: Timestamp = view.read("closed_at")?;
    let programme = source.programme()?.programme;
    let (title, organisation) = (view.text("title"), view.text("organisation_name"));
    let (figure, capital) = (
        grouped(agreement.amount),
        capital_numerals(agreement.amount),
    );
    let number = &agreement.number;
    let mut paragraphs = vec![
        language.choose(format!("{organisation}:"), format!("To {organisation}:")),
        language.choose(
            format!("你单位承担的“{title}”项目(协议编号:{number},资助金额:人民币{capital}(¥{figure}))已按协议完成,经评估准予结项。特发此证。"),
            format!("Your project “{title}” (agreement {number}, granted {figure} yuan, {capital}) was carried out as agreed, was evaluated, and is closed."),
        ),
    ];
    let evaluations = source.parts_of::<Evaluation>(source.id()).into_iter();
    let published = evaluations
        .filter(|one| one.stage == "published" && one.read("round") == Some(Round::Final));
    if let Some(last) = published.max_by_key(View::dated) {
        let grade = last.text("grade");
        paragraphs.push(language.choose(
            format!("末期评估等级:{grade}。"),
            format!("Grade of the final evaluation: {grade}."),
        ));
    }
    Some(Paper {
        number: Some(agreement.number),
        paragraphs,
        seal: vec![
            programme.organiser,
            language.date(closed_at.date_in(&source.zone())),
        ],
        ..Paper::default()
    })
}
