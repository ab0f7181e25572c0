//! What the finance system takes in: what is to be paid (拨付清单), and what was paid and came back
//! (拨付台账). fundcycle records payments; it does not pay (`domain.md` §6, §8).

use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::money::Money;
use fundcycle_core::organisation::Profile;
use fundcycle_core::project::{Agreement, BankAccount, Project, Refund};
use fundcycle_core::tranche::{Payment, Tranche};
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};
use jiff::civil::Date;

use crate::Format;
use crate::document::{Document, Source, View};
use crate::paper::{Cell, Column, Paper, Table, grouped};
use crate::words::{Language, Words};

pub(crate) const ORDERS: Document = Document {
    name: "payment-orders",
    kind: Kind::Cycle,
    title: ("拨付清单", "Payments to be made"),
    eyes: &[Eye::Staff],
    stages: STAGES,
    formats: Format::TABLES,
    needs,
    content: orders,
};

pub(crate) const LEDGER: Document = Document {
    name: "payments",
    kind: Kind::Cycle,
    title: ("拨付台账", "Payment ledger"),
    eyes: &[Eye::Staff],
    stages: STAGES,
    formats: Format::TABLES,
    needs,
    content: ledger,
};

const STAGES: &[&str] = &["launch", "evaluation", "closed"];

fn needs(_: &Viewer, _: &State, world: &World) -> Vec<Need> {
    let projects = world.all::<Project>();
    let organisations = projects.filter_map(|one| one.data.organisation);
    [Need::All(Kind::Project), Need::All(Kind::Tranche)]
        .into_iter()
        .chain(organisations.map(|id| Need::One(Kind::Organisation, id)))
        .collect()
}

/// A project with whose it is and where its money goes.
struct Payee {
    agreement: String,
    title: String,
    organisation: String,
    uscc: String,
    account: BankAccount,
    project: View,
}

fn payees(source: &Source<'_>) -> Vec<Payee> {
    let projects = source.all::<Project>().into_iter();
    let mut payees: Vec<Payee> = projects
        .filter_map(|project| {
            let agreement: Agreement = project.read("agreement")?;
            let owner = project
                .read("organisation")
                .and_then(|id| source.one(Kind::Organisation, id));
            let profile: Option<Profile> = owner.and_then(|owner| owner.read("profile"));
            Some(Payee {
                agreement: agreement.number,
                title: project.text("title"),
                organisation: project.text("organisation_name"),
                uscc: profile.and_then(|profile| profile.uscc).unwrap_or_default(),
                account: project.read("bank_account").unwrap_or_default(),
                project,
            })
        })
        .collect();
    payees.sort_by(|one, other| one.agreement.cmp(&other.agreement));
    payees
}

fn tranches(source: &Source<'_>, payee: &Payee) -> Vec<View> {
    let mut tranches = source.parts_of::<Tranche>(payee.project.id);
    tranches.sort_by_key(|one| one.read::<u32>("position"));
    tranches
}

/// What every line says of whose money it is.
const PAYEE: [(Words, u16); 4] = [
    (("协议编号", "Agreement"), 20),
    (("项目名称", "Project"), 34),
    (("组织名称", "Organisation"), 28),
    (("统一社会信用代码", "Credit code"), 22),
];

impl Payee {
    fn cells(&self) -> [Cell; 4] {
        [&self.agreement, &self.title, &self.organisation, &self.uscc].map(Cell::text)
    }
}

fn columns(language: Language, all: &[(Words, u16)]) -> Vec<Column> {
    let each = all.iter();
    each.map(|(words, width)| Column::new(language.say(*words), *width))
        .collect()
}

fn orders(source: &Source<'_>) -> Option<Paper> {
    let language = source.language;
    let (mut rows, mut sum) = (Vec::new(), Money::ZERO);
    for payee in payees(source) {
        for tranche in tranches(source, &payee) {
            if tranche.stage != "approved" {
                continue;
            }
            let amount = put_forward(&tranche)?;
            sum = sum.checked_add(amount)?;
            let mut row = payee.cells().to_vec();
            row.push(Cell::text(tranche.text("name")));
            row.push(Cell::Money(amount));
            row.push(Cell::text(tranche.text("invoice")));
            let account = &payee.account;
            row.extend([&account.holder, &account.bank, &account.number].map(Cell::text));
            rows.push(row);
        }
    }
    let more = [
        (("款项", "Tranche"), 14),
        (("金额(元)", "Amount (yuan)"), 16),
        (("发票/收据", "Invoice"), 18),
        (("户名", "Account holder"), 28),
        (("开户行", "Bank"), 28),
        (("账号", "Account number"), 26),
    ];
    Some(Paper {
        tables: vec![Table {
            caption: language
                .say(("已批准待拨付", "Approved, to be paid"))
                .to_owned(),
            columns: columns(language, &[&PAYEE[..], &more].concat()),
            named_by: 1,
            total: (!rows.is_empty()).then(|| total(language, 10, 5, sum)),
            rows,
        }],
        signatures: signatures(language),
        wide: true,
        ..Paper::default()
    })
}

/// What was put forward and approved: what the request says, else all that is left.
fn put_forward(tranche: &View) -> Option<Money> {
    let read = |name: &str| tranche.read::<Money>(name);
    read("requested").or_else(|| {
        read("amount")?
            .checked_sub(read("paid")?)?
            .checked_sub(read("cancelled")?)
    })
}

fn ledger(source: &Source<'_>) -> Option<Paper> {
    let language = source.language;
    let (mut paid, mut back) = (Vec::new(), Vec::new());
    let (mut paid_sum, mut back_sum) = (Money::ZERO, Money::ZERO);
    for payee in payees(source) {
        for tranche in tranches(source, &payee) {
            let payments: Vec<Payment> = tranche.read("payments").unwrap_or_default();
            for one in payments {
                paid_sum = paid_sum.checked_add(one.amount)?;
                let key = (one.paid_on, one.voucher.clone());
                let mut row = day_and_voucher(one.paid_on, one.voucher).to_vec();
                row.extend(payee.cells());
                row.push(Cell::text(tranche.text("name")));
                row.push(Cell::Money(one.amount));
                row.push(Cell::text(one.invoice.unwrap_or_default()));
                paid.push((key, row));
            }
        }
        let refunds: Vec<Refund> = payee.project.read("refunds").unwrap_or_default();
        for one in refunds {
            back_sum = back_sum.checked_add(one.amount)?;
            let day = one.recorded_at.date_in(&source.zone());
            let key = (day, one.voucher.clone());
            let mut row = day_and_voucher(day, one.voucher).to_vec();
            row.extend(payee.cells());
            row.push(Cell::Money(one.amount));
            back.push((key, row));
        }
    }
    let day = |words| [(words, 16), (("凭证号", "Voucher"), 18)];
    let more = [
        (("款项", "Tranche"), 14),
        (("金额(元)", "Amount (yuan)"), 16),
        (("发票/收据", "Invoice"), 18),
    ];
    let mut tables = vec![Table {
        caption: language.say(("已拨付", "Paid")).to_owned(),
        columns: columns(
            language,
            &[&day(("拨付日期", "Paid on"))[..], &PAYEE, &more].concat(),
        ),
        named_by: 3,
        total: (!paid.is_empty()).then(|| total(language, 9, 7, paid_sum)),
        rows: in_order(paid),
    }];
    if !back.is_empty() {
        tables.push(Table {
            caption: language.say(("已退回", "Refunded")).to_owned(),
            columns: columns(
                language,
                &[&day(("登记日期", "Recorded on"))[..], &PAYEE, &more[1..2]].concat(),
            ),
            named_by: 3,
            total: Some(total(language, 7, 6, back_sum)),
            rows: in_order(back),
        });
    }
    let fact = |words, amount: Money| (language.say(words).to_owned(), grouped(amount));
    Some(Paper {
        facts: vec![
            fact(("已拨付合计(元)", "Paid in all (yuan)"), paid_sum),
            fact(("已退回合计(元)", "Refunded in all (yuan)"), back_sum),
        ],
        tables,
        signatures: signatures(language),
        wide: true,
        ..Paper::default()
    })
}

/// The day as programs read it, with the voucher.
fn day_and_voucher(day: Date, voucher: String) -> [Cell; 2] {
    [Cell::text(day.to_string()), Cell::text(voucher)]
}

/// Lines by day and voucher.
fn in_order(mut lines: Vec<((Date, String), Vec<Cell>)>) -> Vec<Vec<Cell>> {
    lines.sort_by(|one, other| one.0.cmp(&other.0));
    lines.into_iter().map(|(_, row)| row).collect()
}

/// A line of `width` cells with the sum at `place`.
fn total(language: Language, width: usize, place: usize, sum: Money) -> Vec<Cell> {
    (0..width)
        .map(|at| match at {
            0 => Cell::text(language.say(("合计", "Total"))),
            _ if at == place => Cell::Money(sum),
            _ => Cell::Empty,
        })
        .collect()
}

fn signatures(language: Language) -> Vec<String> {
    [
        ("制表人", "Prepared by"),
        ("审核人", "Checked by"),
        ("财务", "Finance"),
    ]
    .map(|words| language.say(words).to_owned())
    .to_vec()
}
