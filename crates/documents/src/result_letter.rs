//! The letter that tells an organisation what became of its application when it was not awarded: not
//! eligible, not shortlisted, in reserve, not selected. It names no expert, no score of others and
//! no place (`visibility.md` F1).

use fundcycle_core::application::{Form, Reasoned};
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};

use crate::Format;
use crate::document::{Document, Source};
use crate::paper::Paper;
use crate::rounds::{Named, owner};

pub(crate) const DOCUMENT: Document = Document {
    name: "result-letter",
    kind: Kind::Application,
    title: ("申报结果通知书", "Letter on the result"),
    eyes: &[Eye::Applicant, Eye::Staff],
    stages: &["ineligible", "not_shortlisted", "reserve", "not_selected"],
    formats: &[Format::Html],
    needs,
    content,
};

fn needs(_: &Viewer, state: &State, world: &World) -> Vec<Need> {
    owner(Kind::Application, state.id(), world)
        .into_iter()
        .collect()
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let (language, view) = (source.language, source.record()?);
    let (form, zone): (Form, _) = (view.read("form")?, source.zone());
    let programme = source.programme()?.programme;
    let id = source.id();
    let organisation = Named::of(source, Kind::Application, id).organisation;
    let title = form.title;
    let result = language.say(match view.stage {
        "ineligible" => (
            "经资格审查,未通过,不进入评审",
            "did not pass the eligibility check and does not go on to review",
        ),
        "not_shortlisted" => (
            "经专家评审,未入围本届后续环节",
            "was reviewed by experts and was not shortlisted",
        ),
        "reserve" => (
            "经评审和遴选,列为备选项目;如有资金空出,将按顺序递补并另行公示",
            "was put in reserve: if money becomes free, reserves move up in their order, with a notice of their own",
        ),
        _ => ("经评审和遴选,未获本届资助", "was reviewed and was not selected for funding"),
    });
    let mut paragraphs = vec![
        language.choose(format!("{organisation}:"), format!("To {organisation}:")),
        language.choose(
            format!("你单位申报的“{title}”项目,{result}。"),
            format!("Your project “{title}” {result}."),
        ),
    ];
    if view.stage == "ineligible" {
        if let Some(decision) = view.read::<Reasoned>("decision") {
            let reason = decision.reason;
            paragraphs.push(language.choose(format!("理由:{reason}"), format!("Reason: {reason}")));
        }
        if let Some(by) = view.read::<Timestamp>("recheck_by") {
            let by = language.moment(by, &zone);
            paragraphs.push(language.choose(
                format!("如有异议,可于{by}前申请复核,由其他工作人员办理。"),
                format!("You may ask for a re-check by another officer until {by}."),
            ));
        }
    }
    paragraphs.push(language.choose(
        format!("感谢你单位对公益事业的支持。联系方式:{}", programme.contact),
        format!("Thank you for your work. Contact: {}", programme.contact),
    ));
    Some(Paper {
        number: Some(view.text("number")).filter(|number| !number.is_empty()),
        paragraphs,
        seal: vec![programme.organiser],
        ..Paper::default()
    })
}
