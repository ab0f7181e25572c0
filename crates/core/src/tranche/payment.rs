//! How much is put forward, paid and cut off: never more than is left of the tranche, nor of the award.

use jiff::civil::Date;
use uuid::Uuid;

use super::gates::its_project;
use super::{Event, Payment, Tranche};
use crate::aggregate::Record;
use crate::context::Context;
use crate::money::Money;
use crate::project;
use crate::rejection::{Fault, Rejection};

/// The longest number of an invoice or voucher, in characters.
const LONGEST_NUMBER: usize = 100;

impl Tranche {
    /// Takes in that what was put forward was paid.
    pub(super) fn take_payment(&mut self, by: Option<Uuid>, voucher: String, paid_on: Date) {
        let amount = self.put_forward();
        self.payments.push(Payment {
            amount,
            invoice: self.invoice.clone(),
            voucher: voucher.clone(),
            paid_on,
            requested_by: self.requested_by,
            approved_by: self.approved_by,
            paid_by: by,
        });
        self.paid = self.paid.checked_add(amount).unwrap_or(self.paid);
        self.requested = Some(amount);
        self.paid_by = by;
        self.voucher = Some(voucher);
        self.paid_on = Some(paid_on);
    }

    /// Undoes a request and its approval.
    pub(super) fn take_back(&mut self, reason: String) {
        self.requested = None;
        self.invoice = None;
        self.requested_by = None;
        self.approved_by = None;
        self.reason = Some(reason);
    }
}

pub(super) fn requested(
    record: &Record<Tranche>,
    amount: Option<Money>,
    invoice: Option<String>,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let data = &record.data;
    let mut faults = Vec::new();
    let left = data.left();
    let amount = amount.unwrap_or(left);
    if amount <= Money::ZERO || amount > left {
        faults.push(Fault::new(
            "/amount",
            "range",
            format!("Above 0 and at most the {left} yuan that are left of this tranche."),
            format!("申请金额须大于 0 且不超过该期剩余的 {left} 元。"),
        ));
    }
    match &invoice {
        Some(number) => faults.extend(Fault::of_text("/invoice", number, LONGEST_NUMBER)),
        None if data.needs.invoice => faults.push(Fault::new(
            "/invoice",
            "required",
            "Give the number of the organisation's invoice or receipt.",
            "请填写承接单位开具的票据号码。",
        )),
        None => {}
    }
    Rejection::unless_empty(faults)?;
    Ok(Event::Requested {
        by: cx.account(),
        amount: Some(amount),
        invoice,
    })
}

pub(super) fn paid(
    record: &Record<Tranche>,
    amount: Money,
    voucher: String,
    paid_on: Date,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let mut faults = Vec::from_iter(Fault::of_text("/voucher", &voucher, LONGEST_NUMBER));
    let approved = record.data.put_forward();
    if amount != approved {
        faults.push(Fault::new(
            "/amount",
            "amount",
            format!("The approved amount is {approved} yuan, not {amount}."),
            format!("已批准的金额为 {approved} 元,而非 {amount} 元。"),
        ));
    }
    if paid_on > cx.today() {
        faults.push(Fault::new(
            "/paid_on",
            "in_future",
            "A payment cannot be dated after today.",
            "拨付日期不能晚于今天。",
        ));
    }
    let before = record
        .data
        .project
        .map_or(Money::ZERO, |project| project::paid(project, cx.world));
    let award = its_project(record, cx).map_or(Money::ZERO, |project| project.data.amount);
    if before.checked_add(approved).is_none_or(|sum| sum > award) {
        faults.push(Fault::new(
            "/amount",
            "over_award",
            format!(
                "{before} yuan are paid already; with this the award of {award} would be exceeded."
            ),
            format!("已拨付 {before} 元,再拨该笔将超过资助金额 {award} 元。"),
        ));
    }
    Rejection::unless_empty(faults)?;
    Ok(Event::Paid {
        by: cx.account(),
        voucher,
        paid_on,
    })
}

pub(super) fn reduced(
    record: &Record<Tranche>,
    amount: Money,
    reason: String,
) -> Result<Event, Rejection> {
    Rejection::unless_reasoned(&reason)?;
    let left = record.data.left();
    if amount <= Money::ZERO || amount >= left {
        return Err(Rejection::fault(
            "/amount",
            "range",
            format!(
                "Above 0 and below the {left} yuan that are left: to pay nothing more, cancel the tranche."
            ),
            format!("核减金额须大于 0 且小于该期剩余的 {left} 元;如不再拨付请取消该期。"),
        ));
    }
    Ok(Event::Reduced { amount, reason })
}
