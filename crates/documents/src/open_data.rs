//! The awards of a cycle as open data, with the columns of the 360Giving standard: a list of what may be
//! published, ready to be (`domain.md` §8).

use fundcycle_core::application::Form;
use fundcycle_core::award::Award;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::money::Money;
use fundcycle_core::organisation::Profile;
use fundcycle_core::project::{Agreement, Plan, Project};
use fundcycle_core::tranche::Tranche;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};

use crate::Format;
use crate::document::{Document, Source, View};
use crate::paper::{Cell, Column, Paper, Table};

pub(crate) const DOCUMENT: Document = Document {
    name: "open-data",
    kind: Kind::Cycle,
    title: ("资助开放数据", "Open data of awards"),
    eyes: &[Eye::Staff],
    stages: &["launch", "evaluation", "closed"],
    formats: &[Format::Csv, Format::Xlsx],
    needs,
    content,
};

/// The columns of the standard's spreadsheets, which other programs know by these names. Nobody's name,
/// phone or account is among them.
const COLUMNS: [&str; 14] = [
    "Identifier",
    "Title",
    "Description",
    "Currency",
    "Amount Awarded",
    "Amount Disbursed",
    "Award Date",
    "Planned Dates:Start Date",
    "Planned Dates:End Date",
    "Recipient Org:Identifier",
    "Recipient Org:Name",
    "Funding Org:Identifier",
    "Funding Org:Name",
    "Grant Programme:Title",
];

fn needs(_: &Viewer, _: &State, world: &World) -> Vec<Need> {
    let awards = world.all::<Award>();
    let each = awards.flat_map(|one| {
        let organisation = one
            .data
            .organisation
            .map(|id| Need::One(Kind::Organisation, id));
        let application = one
            .data
            .application
            .map(|id| Need::One(Kind::Application, id));
        organisation.into_iter().chain(application)
    });
    [Kind::Award, Kind::Project, Kind::Tranche]
        .map(Need::All)
        .into_iter()
        .chain(each)
        .collect()
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let programme = source.programme()?.programme;
    let zone = source.zone();
    let organiser = [
        identifier(programme.organiser_uscc.as_deref()),
        Cell::text(&programme.organiser),
        Cell::text(&programme.title),
    ];
    let mut rows = Vec::new();
    for project in source.all::<Project>() {
        // An award that was never signed for was never made.
        let Some(agreement) = project.read::<Agreement>("agreement") else {
            continue;
        };
        let other =
            |kind: Kind, field: &str| -> Option<View> { source.one(kind, project.read(field)?) };
        let application = other(Kind::Application, "application")?;
        let form: Form = application.read("form")?;
        let awarded_on = other(Kind::Award, "award")?.dated().date_in(&zone);
        let plan: Plan = project.read("plan").unwrap_or_default();
        let profile = other(Kind::Organisation, "organisation")
            .and_then(|one| one.read::<Profile>("profile"));
        let tranches = source.parts_of::<Tranche>(project.id);
        let paid = Money::checked_sum(tranches.iter().filter_map(|one| one.read("paid")))?;
        let day = |day: Option<jiff::civil::Date>| {
            Cell::text(day.map(|day| day.to_string()).unwrap_or_default())
        };
        let mut row = vec![
            Cell::text(application.text("number")),
            Cell::text(project.text("title")),
            // What an applicant wrote may name people: the domain says what it is for.
            Cell::text(project.text("domain")),
            Cell::text("CNY"),
            Cell::Money(agreement.amount),
            Cell::Money(paid),
            day(Some(awarded_on)),
            day(form.starts_on),
            day(plan.ends_on),
            identifier(profile.and_then(|profile| profile.uscc).as_deref()),
            Cell::text(project.text("organisation_name")),
        ];
        row.extend(organiser.clone());
        rows.push((application.text("number"), row));
    }
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    Some(Paper {
        tables: vec![Table {
            caption: "grants".to_owned(),
            columns: COLUMNS.map(|title| Column::new(title, 24)).to_vec(),
            named_by: 1,
            rows: rows.into_iter().map(|(_, row)| row).collect(),
            total: None,
        }],
        wide: true,
        ..Paper::default()
    })
}

/// An organisation by its unified social credit code; nothing where it has none.
fn identifier(uscc: Option<&str>) -> Cell {
    uscc.map_or(Cell::Empty, |code| {
        Cell::text(format!("CN-USCC-{}", fundcycle_core::uscc::normalise(code)))
    })
}
