//! From the approved plan to what is owed by it: signatures, the plan of payments, the bank account.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::{Agreement, BankAccount, Event, Project};
use crate::aggregate::{Decided, Record, Stored as _, Then};
use crate::context::Context;
use crate::money::Money;
use crate::numerals::capital_numerals;
use crate::rejection::{Fault, Rejection};
use crate::tranche::{self, Tranche};

pub(super) fn signed(
    record: &Record<Project>,
    parties: Vec<String>,
    signed_on: Date,
    number: String,
    cx: &Context<'_>,
) -> Result<Decided<Project>, Rejection> {
    let mut faults = Vec::from_iter(Fault::of_text("/number", &number, 100));
    if parties.len() < 2 {
        faults.push(Fault::new(
            "/parties",
            "too_few",
            "An agreement has two parties or more.",
            "协议至少有两方签署。",
        ));
    }
    for (index, party) in parties.iter().enumerate() {
        faults.extend(Fault::of_text(format!("/parties/{index}"), party, 200));
    }
    if signed_on > cx.today() {
        faults.push(Fault::new(
            "/signed_on",
            "in_future",
            "A signature cannot be dated after today.",
            "签署日期不能晚于今天。",
        ));
    }
    Rejection::unless_empty(faults)?;
    let policy = cx.require_policy()?;
    let amount = record.data.amount;
    let agreement = Agreement {
        number,
        parties,
        signed_on,
        amount,
        amount_in_capitals: capital_numerals(amount),
    };
    let launch_by = signed_on
        .checked_add(i64::from(policy.agreement.launch_days).days())
        .ok();
    Ok(Decided::only(Event::Signed {
        agreement,
        launch_by,
    })
    .then(planned_tranches(record, cx)?))
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
