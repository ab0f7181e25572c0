//! The public notice (公示): what anybody may know of those who are to be funded (`domain.md` §2.9).

use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::money::Money;
use fundcycle_core::notice::Row;
use fundcycle_core::numerals::capital_numerals;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};
use jiff::civil::Date;

use crate::Format;
use crate::document::{Document, Source};
use crate::paper::{Cell, Column, Paper, Table, grouped};
use crate::rounds::Named;

pub(crate) const DOCUMENT: Document = Document {
    name: "notice",
    kind: Kind::Notice,
    title: (
        "拟资助项目公示",
        "Public notice of the projects to be funded",
    ),
    eyes: &[Eye::Public, Eye::Staff],
    stages: &["running", "ended"],
    formats: Format::TABLES,
    needs,
    content,
};

fn needs(_: &Viewer, _: &State, _: &World) -> Vec<Need> {
    Vec::new()
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let (language, view) = (source.language, source.record()?);
    let rows: Vec<Row> = view.read("rows")?;
    let (starts_on, ends_at): (Date, Timestamp) = (view.read("starts_on")?, view.read("ends_at")?);
    let policy = source.programme();
    let scale = policy.as_ref().map_or(2, |policy| policy.ranking.scale);
    let (first, last) = (
        language.date(starts_on),
        language.moment(ends_at, &source.zone()),
    );
    let awarded = Money::checked_sum(rows.iter().map(|row| row.award))?;
    let count = rows.len();

    let mut columns = vec![Column::new(language.say(("名次", "Rank")), 6)];
    columns.extend(Named::columns(language));
    columns.push(Column::new(language.say(("得分", "Score")), 9));
    columns.push(Column::new(
        language.say(("拟资助金额(元)", "Award (yuan)")),
        16,
    ));
    let cells = rows.into_iter().map(|row| {
        let named = Named {
            number: row.number,
            title: row.title,
            organisation: row.organisation,
            domain: row.domain,
        };
        let mut cells = vec![Cell::count(row.rank)];
        cells.extend(named.cells());
        cells.push(Cell::Rounded(row.score, scale));
        cells.push(Cell::Money(row.award));
        cells
    });
    let mut total = vec![Cell::Empty, Cell::Empty];
    total.push(Cell::text(language.say(("合计", "Total"))));
    total.extend([Cell::Empty, Cell::Empty, Cell::Empty, Cell::Money(awarded)]);
    let contact = view.text("contact");
    let (figure, capital) = (grouped(awarded), capital_numerals(awarded));
    Some(Paper {
        paragraphs: vec![
            language.choose(
                format!("经评审,拟资助以下{count}个项目,资助金额合计人民币{capital}(¥{figure}),现予公示。公示期自{first}起至{last}止。"),
                format!("After review, the following {count} projects are to be funded with {figure} yuan ({capital}) in all. The notice runs from {first} until {last}."),
            ),
            language.choose(
                format!("公示期内如有异议,请以实名书面形式提出:单位须加盖公章,个人须署名并留联系方式,并附具体事实与证据;匿名或逾期异议不予受理。受理联系方式:{contact}。"),
                format!("Objections are taken until then in writing: sealed by the unit, or signed by the person with a way to reach them, with facts and evidence. Anonymous or late ones are not taken. Contact: {contact}."),
            ),
        ],
        tables: vec![Table {
            caption: language.say(("拟资助项目", "Projects to be funded")).to_owned(),
            columns,
            named_by: 2,
            rows: cells.collect(),
            total: Some(total),
        }],
        seal: policy
            .map(|policy| vec![policy.programme.organiser, first])
            .unwrap_or_default(),
        ..Paper::default()
    })
}
