//! The awards of a cycle as open data, with the columns and the JSON of the 360Giving standard (1.1): a list of
//! what may be published, ready to be (`domain.md` §8).

use fundcycle_core::application::Form;
use fundcycle_core::award::Award;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::money::Money;
use fundcycle_core::organisation::Profile;
use fundcycle_core::project::{Agreement, Plan, Project};
use fundcycle_core::tranche::Tranche;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};
use jiff::civil::Date;
use serde_json::{Map, Number, Value, json};
use uuid::Uuid;

use crate::Format;
use crate::document::{Document, Source, View};
use crate::paper::{Cell, Column, Paper, Table};

pub(crate) const DOCUMENT: Document = Document {
    name: "open-data",
    kind: Kind::Cycle,
    title: ("资助开放数据", "Open data of awards"),
    eyes: &[Eye::Staff],
    stages: &["launch", "evaluation", "closed"],
    formats: &[Format::Csv, Format::Xlsx, Format::Json],
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

/// An award under way, as it may be published.
struct Grant {
    number: String,
    title: String,
    domain: String,
    amount: Money,
    paid: Money,
    awarded_on: Date,
    starts_on: Option<Date>,
    ends_on: Option<Date>,
    recipient: Party,
}

/// An organisation.
#[derive(Clone)]
struct Party {
    /// By its unified social credit code; none where it has no code.
    code: Option<String>,
    /// By the records of the bureau.
    known_as: String,
    name: String,
}

impl Party {
    fn new(uscc: Option<&str>, known_as: String, name: String) -> Self {
        let code = uscc.map(|code| format!("CN-USCC-{}", fundcycle_core::uscc::normalise(code)));
        Self {
            code,
            known_as,
            name,
        }
    }

    fn cells(&self) -> [Cell; 2] {
        let code = self.code.as_ref();
        [code.map_or(Cell::Empty, Cell::text), Cell::text(&self.name)]
    }

    /// With the identifier that the standard asks of each.
    fn json(&self) -> Value {
        let id = self.code.as_ref().unwrap_or(&self.known_as);
        json!({ "id": id, "name": self.name })
    }
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let programme = source.programme()?.programme;
    let organiser = Party::new(
        programme.organiser_uscc.as_deref(),
        format!("360G-{}", programme.code),
        programme.organiser.clone(),
    );
    let mut grants = grants(source, &programme.code)?;
    grants.sort_by(|one, other| one.number.cmp(&other.number));
    let rows = grants
        .iter()
        .map(|grant| grant.row(&organiser, &programme.title));
    let list: Option<Vec<Value>> = grants
        .iter()
        .map(|grant| grant.json(&organiser, &programme.title))
        .collect();
    Some(Paper {
        tables: vec![Table {
            caption: "grants".to_owned(),
            columns: COLUMNS.map(|title| Column::new(title, 24)).to_vec(),
            named_by: 1,
            rows: rows.collect(),
            total: None,
        }],
        data: Some(json!({
            "version": "1.1",
            "title": programme.title,
            "publisher": { "name": organiser.name, "identifier": organiser.json()["id"] },
            "grants": list?,
        })),
        wide: true,
        ..Paper::default()
    })
}

fn grants(source: &Source<'_>, code: &str) -> Option<Vec<Grant>> {
    let zone = source.zone();
    let mut grants = Vec::new();
    for project in source.all::<Project>() {
        // An award that was never signed for was never made.
        let Some(agreement) = project.read::<Agreement>("agreement") else {
            continue;
        };
        let other =
            |kind: Kind, field: &str| -> Option<View> { source.one(kind, project.read(field)?) };
        let application = other(Kind::Application, "application")?;
        let form: Form = application.read("form")?;
        let plan: Plan = project.read("plan").unwrap_or_default();
        let organisation: Uuid = project.read("organisation")?;
        let profile = other(Kind::Organisation, "organisation")
            .and_then(|one| one.read::<Profile>("profile"));
        let tranches = source.parts_of::<Tranche>(project.id);
        grants.push(Grant {
            number: application.text("number"),
            title: project.text("title"),
            domain: project.text("domain"),
            amount: agreement.amount,
            paid: Money::checked_sum(tranches.iter().filter_map(|one| one.read("paid")))?,
            awarded_on: other(Kind::Award, "award")?.dated().date_in(&zone),
            starts_on: form.starts_on,
            ends_on: plan.ends_on,
            recipient: Party::new(
                profile.and_then(|profile| profile.uscc).as_deref(),
                format!("360G-{code}-org:{organisation}"),
                project.text("organisation_name"),
            ),
        });
    }
    Some(grants)
}

impl Grant {
    fn row(&self, organiser: &Party, programme: &str) -> Vec<Cell> {
        let day =
            |day: Option<Date>| Cell::text(day.map(|day| day.to_string()).unwrap_or_default());
        let mut row = vec![
            Cell::text(&self.number),
            Cell::text(&self.title),
            // What an applicant wrote may name people: the domain says what it is for.
            Cell::text(&self.domain),
            Cell::text("CNY"),
            Cell::Money(self.amount),
            Cell::Money(self.paid),
            day(Some(self.awarded_on)),
            day(self.starts_on),
            day(self.ends_on),
        ];
        row.extend(self.recipient.cells());
        row.extend(organiser.cells());
        row.push(Cell::text(programme));
        row
    }

    /// By the names of the standard's schema; what is not named here is not published.
    fn json(&self, organiser: &Party, programme: &str) -> Option<Value> {
        let mut dates = Map::new();
        for (name, day) in [("startDate", self.starts_on), ("endDate", self.ends_on)] {
            dates.extend(day.map(|day| (name.to_owned(), json!(day.to_string()))));
        }
        let mut grant = json!({
            "id": self.number,
            "title": self.title,
            "description": self.domain,
            "currency": "CNY",
            "amountAwarded": yuan(self.amount)?,
            "amountDisbursed": yuan(self.paid)?,
            "awardDate": self.awarded_on.to_string(),
            "recipientOrganization": [self.recipient.json()],
            "fundingOrganization": [organiser.json()],
            "grantProgramme": [{ "title": programme }],
        });
        if let (false, Some(grant)) = (dates.is_empty(), grant.as_object_mut()) {
            grant.insert("plannedDates".to_owned(), json!([dates]));
        }
        Some(grant)
    }
}

/// An amount in yuan as the number that the standard asks for.
fn yuan(amount: Money) -> Option<Number> {
    amount.to_yuan_text().parse().ok()
}
