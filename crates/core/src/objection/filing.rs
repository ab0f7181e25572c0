//! Whether an objection can be taken at all: under a name, with facts, and in time.

use uuid::Uuid;

use super::{Event, Evidence, Objection, Objector};
use crate::aggregate::{Decided, Record};
use crate::application::{self, Application};
use crate::context::Context;
use crate::notice::{self, Notice};
use crate::rejection::{Fault, LONGEST_REASON, Rejection};

/// The most that may be handed over with an objection.
const MOST_EVIDENCE: usize = 20;

/// What somebody says, and with what.
pub(super) struct Filing {
    pub(super) objector: Objector,
    pub(super) facts: String,
    pub(super) evidence: Vec<Evidence>,
}

pub(super) fn filed(
    notice: Uuid,
    number: &str,
    filing: Filing,
    cx: &Context<'_>,
) -> Result<Decided<Objection>, Rejection> {
    let Filing {
        objector,
        facts,
        evidence,
    } = filing;
    let mut faults: Vec<Fault> = [
        ("/objector/name", &objector.name, 200),
        ("/objector/contact", &objector.contact, 200),
        ("/facts", &facts, LONGEST_REASON),
    ]
    .into_iter()
    .filter_map(|(pointer, text, most)| Fault::of_text(pointer, text, most))
    .collect();
    if evidence.len() > MOST_EVIDENCE {
        faults.push(Fault::new(
            "/evidence",
            "too_many",
            format!("At most {MOST_EVIDENCE} documents can be handed over."),
            format!("最多可提交 {MOST_EVIDENCE} 份材料。"),
        ));
    }
    for (index, one) in evidence.iter().enumerate() {
        let at = format!("/evidence/{index}");
        faults.extend(Fault::of_text(format!("{at}/name"), &one.name, 200));
        if crate::disclosure::digest(&one.sha256).is_none() {
            faults.push(Fault::new(
                format!("{at}/sha256"),
                "not_a_digest",
                "The SHA-256 of the document: 64 lower-case hexadecimal digits.",
                "应为材料的 SHA-256:64 位小写十六进制。",
            ));
        }
    }
    if !objector.signed {
        faults.push(Fault::new(
            "/objector/signed",
            "anonymous",
            "An objection is sealed by the unit or signed by the person; anonymous ones are not taken.",
            "单位异议须加盖公章,个人异议须实名签字;匿名异议不予受理。",
        ));
    }
    let on_notice = on_notice(notice, number, cx).map_err(|fault| faults.push(fault));
    let (Ok(one), true) = (on_notice, faults.is_empty()) else {
        return Err(Rejection::Invalid { faults });
    };
    Ok(Decided::only(Event::Filed {
        application: one.id,
        organisation: one.data.organisation,
        notice,
        objector,
        facts,
        evidence,
    }))
}

/// The application with `number` on a notice whose window is open.
fn on_notice<'a>(
    notice: Uuid,
    number: &str,
    cx: &Context<'a>,
) -> Result<&'a Record<Application>, Fault> {
    use application::Stage::{Disputed, Noticing};
    use notice::Stage::{Ended, Running};
    // What is not public yet does not exist for who objects.
    let notice = cx
        .world
        .get::<Notice>(notice)
        .filter(|notice| matches!(notice.stage, Running | Ended))
        .ok_or_else(|| {
            Fault::new(
                "/notice",
                "unknown_notice",
                "There is no such public notice.",
                "没有该公示。",
            )
        })?;
    if !notice.data.is_open(cx.now) {
        return Err(Fault::new(
            "/notice",
            "late",
            "The time for objections to this notice is over.",
            "该公示的异议期限已过。",
        ));
    }
    let listed = notice.data.applications.iter();
    listed
        .filter_map(|id| cx.world.get::<Application>(*id))
        .find(|one| {
            one.data.number.as_deref() == Some(number) && matches!(one.stage, Noticing | Disputed)
        })
        .ok_or_else(|| {
            Fault::new(
                "/number",
                "not_on_notice",
                "No application with this number is on the notice.",
                "公示名单中没有该编号的申报。",
            )
        })
}
