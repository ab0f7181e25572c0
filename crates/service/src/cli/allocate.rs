//! `fundcycle allocate`: who is funded, and with how much.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use fundcycle_scoring::{
    Allocation, AllocationError, Bid, Outcome, SelectionRules, Yuan, allocate,
};
use serde::Deserialize as _;
use serde_json::{Map, json};

use super::table::{self, Cell, Output};
use super::{Stop, complain};

/// What `allocate` takes.
#[derive(Debug, Args)]
pub(crate) struct AllocateArgs {
    /// CSV with `application,organisation,domain,score,requested` in yuan, and `street` and
    /// `recommended` where the rules need them; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    candidates: PathBuf,
    /// The `[selection]` table of a policy, or a whole policy, as TOML.
    #[arg(long, value_name = "FILE.toml")]
    rules: PathBuf,
    #[command(flatten)]
    output: Output,
}

/// Does what is asked.
pub(crate) fn run(args: &AllocateArgs) -> Result<(), Stop> {
    let standard = Path::new("-");
    if args.candidates == standard && args.rules == standard {
        return Err(Stop::Trouble("only one file can be standard input".into()));
    }
    let rules = read_rules(&args.rules);
    let bids = read_bids(&args.candidates);
    // Both files have had their say.
    let (rules, bids) = (rules?, bids?);
    match allocate(&rules, &bids) {
        Ok(selection) => show(args, &selection),
        Err(AllocationError::Rules(faults)) => {
            for fault in faults {
                complain(&format!("{}: {fault}", args.rules.display()));
            }
            Err(Stop::No)
        }
        Err(AllocationError::Bids(faults)) => {
            for fault in &faults {
                complain(fault);
            }
            Err(Stop::No)
        }
        Err(error) => Err(Stop::Trouble(error.to_string())),
    }
}

fn show(args: &AllocateArgs, selection: &Allocation) -> Result<(), Stop> {
    let yuan = |fen| Yuan::from_fen(fen).unwrap_or_default().to_string();
    let rows: Vec<Vec<Cell>> = selection
        .decisions
        .iter()
        .map(|line| {
            let decision = match line.decision {
                Outcome::Funded => "funded",
                Outcome::Reserve => "reserve",
                Outcome::NotFunded => "not_funded",
            };
            let award = yuan(line.award_fen);
            [
                &line.application,
                decision,
                &award,
                &line.reason,
                &line.needs,
            ]
            .map(|text| Cell::of(Some(text)))
            .to_vec()
        })
        .collect();
    let more = Map::from_iter([
        ("mode".into(), json!(selection.mode)),
        (
            "total_awarded".into(),
            yuan(selection.total_awarded_fen).into(),
        ),
        ("certificate".into(), json!(selection.certificate)),
    ]);
    let header = ["application", "decision", "award", "reason", "needs"];
    table::show(
        args.output.format,
        &header,
        &rows,
        Some(("decisions", more)),
    )
}

fn read_rules(file: &Path) -> Result<SelectionRules, Stop> {
    let text = table::read_text(file)?;
    let refuse = |error: toml::de::Error| {
        complain(&format!("{}: {error}", file.display()));
        Stop::No
    };
    let whole: toml::Table = toml::from_str(&text).map_err(refuse)?;
    match whole.get("selection") {
        Some(selection) => SelectionRules::deserialize(selection.clone()).map_err(refuse),
        // From the text, so that a fault comes with its line.
        None => toml::from_str(&text).map_err(refuse),
    }
}

fn read_bids(file: &Path) -> Result<Vec<Bid>, Stop> {
    let needed = [
        "application",
        "organisation",
        "domain",
        "score",
        "requested",
    ];
    let mut input = table::read(file, &needed)?;
    let (street, recommended) = (input.has("street"), input.has("recommended"));
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let mut bids = Vec::new();
    for row in input.take() {
        let application = input.name(&row, "application");
        if let Some(line) = lines.get(&application) {
            input.blame(&row, "application", &format!("it bids in line {line} too"));
        } else {
            lines.insert(application.clone(), row.line());
        }
        let filled = |column| !input.text(&row, column).trim().is_empty();
        let (street, recommended) = (
            street && filled("street"),
            recommended && filled("recommended"),
        );
        bids.push(Bid {
            application,
            organisation: input.name(&row, "organisation"),
            domain: input.name(&row, "domain"),
            street: street.then(|| input.text(&row, "street").trim().to_owned()),
            score: input.value(&row, "score"),
            requested_fen: input.value::<Yuan>(&row, "requested").fen(),
            recommended_fen: recommended.then(|| input.value::<Yuan>(&row, "recommended").fen()),
        });
    }
    input.finish()?;
    Ok(bids)
}
