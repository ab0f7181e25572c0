//! From the approved plan to what is owed by it: signatures, the plan of payments, the bank account.

use jiff::ToSpan as _;

use super::plan::{cap_faults, lowered, over_caps};
use super::{Agreement, BankAccount, Event, Plan, Project};
use crate::aggregate::{Decided, Record, Stored as _, Then};
use crate::application::Application;
use crate::context::Context;
use crate::money::Money;
use crate::policy::document::Severity;
use crate::rejection::{Fault, Rejection};
use crate::tranche::{self, Tranche};

/// The plan for the awarded amount: what the policy forbids is refused, what it advises against is shown,
/// and targets that fall by more than the award was cut wait for a lead.
pub(super) fn plan_submitted(
    record: &Record<Project>,
    plan: Box<Plan>,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let amount = record.data.amount;
    let rules = &cx.require_policy()?.budget_rules;
    let mut faults = plan.faults("/plan", amount);
    faults.extend(cap_faults("/plan/budget", &plan.budget, amount, rules));
    Rejection::unless_empty(faults)?;
    let form = record
        .data
        .application
        .and_then(|id| cx.world.get::<Application>(id))
        .map(|application| &application.data.form);
    let lowered = form.map_or_else(Vec::new, |form| {
        lowered(&form.indicators, &plan.targets, amount, form.requested)
    });
    Ok(Event::PlanSubmitted {
        lowered,
        over_caps: over_caps(&plan.budget, amount, rules, Severity::Warn),
        plan,
    })
}

/// The agreement is signed by all its parties; the tranches are planned by it.
pub(super) fn signed(
    record: &Record<Project>,
    agreement: Agreement,
    cx: &Context<'_>,
) -> Result<Decided<Project>, Rejection> {
    let mut faults = Vec::from_iter(Fault::of_text("/number", &agreement.number, 100));
    if agreement.parties.len() < 2 {
        faults.push(Fault::new(
            "/parties",
            "too_few",
            "An agreement has two parties or more.",
            "协议至少有两方签署。",
        ));
    }
    for (index, party) in agreement.parties.iter().enumerate() {
        faults.extend(Fault::of_text(format!("/parties/{index}"), party, 200));
    }
    if agreement.signed_on > cx.today() {
        faults.push(Fault::new(
            "/signed_on",
            "in_future",
            "A signature cannot be dated after today.",
            "签署日期不能晚于今天。",
        ));
    }
    faults.extend(signature_faults(&agreement));
    Rejection::unless_empty(faults)?;
    let policy = cx.require_policy()?;
    let launch_by = agreement
        .signed_on
        .checked_add(i64::from(policy.agreement.launch_days).days())
        .ok();
    Ok(Decided::only(Event::Signed {
        agreement,
        launch_by,
    })
    .then(planned_tranches(record, cx)?))
}

/// Where signatures are recorded there is one of each party, none after the day of the agreement.
fn signature_faults(agreement: &Agreement) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, signature) in agreement.signatures.iter().enumerate() {
        let at = format!("/signatures/{index}");
        faults.extend(Fault::of_text(format!("{at}/name"), &signature.name, 100));
        if !agreement.parties.contains(&signature.party) {
            faults.push(Fault::new(
                format!("{at}/party"),
                "unknown",
                "This is none of the parties.",
                "该签署方不在协议各方之中。",
            ));
        }
        if signature.signed_on > agreement.signed_on {
            faults.push(Fault::new(
                format!("{at}/signed_on"),
                "after_agreement",
                "The agreement bears the day of its last signature.",
                "协议日期应为最后签署日期。",
            ));
        }
    }
    let unsigned = |party: &&String| {
        let mut signatures = agreement.signatures.iter();
        !signatures.any(|signature| signature.party == **party)
    };
    if !agreement.signatures.is_empty()
        && let Some(party) = agreement.parties.iter().find(unsigned)
    {
        faults.push(Fault::new(
            "/signatures",
            "missing",
            format!("The signature of `{party}` is missing."),
            format!("缺少“{party}”的签署信息。"),
        ));
    }
    faults
}

/// The tranches of the policy, exact to the fen; a share that comes to nothing is left out.
fn planned_tranches(record: &Record<Project>, cx: &Context<'_>) -> Result<Vec<Then>, Rejection> {
    let rules = &cx.require_policy()?.tranches;
    let shares: Vec<_> = rules.iter().map(|rule| rule.share.clone()).collect();
    let amounts = record.data.amount.split(&shares).map_err(|error| {
        Rejection::fault(
            "",
            "tranches",
            error.to_string(),
            format!("拨款比例无法执行:{error}"),
        )
    })?;
    let plans = (1..).zip(rules.iter().zip(amounts));
    Ok(plans
        .filter(|(_, (_, amount))| *amount > Money::ZERO)
        .map(|(position, (rule, amount))| {
            let command = tranche::Command::Plan {
                project: record.id,
                organisation: record.data.organisation,
                position,
                name: rule.name.clone(),
                amount,
                after: rule.after,
                needs: rule.needs.clone(),
            };
            Tranche::then(tranche::id_of(record.id, position), cx.journal, command)
        })
        .collect())
}

/// The digits of a bank account's number in China.
const ACCOUNT_DIGITS: std::ops::RangeInclusive<usize> = 8..=32;

/// The account is in the organisation's name (`domain.md` §2.10).
pub(super) fn bank_account(
    record: &Record<Project>,
    mut given: BankAccount,
) -> Result<Event, Rejection> {
    given.number.retain(|sign| !sign.is_whitespace());
    let mut faults = Vec::from_iter(Fault::of_text("/bank_account/bank", &given.bank, 200));
    let named = crate::text::comparison_key(&record.data.organisation_name);
    if crate::text::comparison_key(&given.holder) != named {
        faults.push(Fault::new(
            "/bank_account/holder",
            "other_holder",
            format!(
                "The account has to be in the name of the organisation, `{}`.",
                record.data.organisation_name
            ),
            format!(
                "收款账户户名须为承接单位“{}”。",
                record.data.organisation_name
            ),
        ));
    }
    if !given.number.bytes().all(|digit| digit.is_ascii_digit())
        || !ACCOUNT_DIGITS.contains(&given.number.len())
    {
        faults.push(Fault::new(
            "/bank_account/number",
            "number",
            "The number of an account has 8 to 32 digits.",
            "银行账号为 8 至 32 位数字。",
        ));
    }
    Rejection::unless_empty(faults)?;
    Ok(Event::BankAccountGiven {
        bank_account: given,
    })
}
