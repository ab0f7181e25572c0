//! `fundcycle assign`: who reviews what.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use fundcycle_scoring::{
    Affinity, AssignmentError, AssignmentProblem, Fairness, Pair, Rooms, assign,
};
use serde_json::Map;

use super::table::{self, Cell, Output, Row};
use super::{Stop, complain};

/// What `assign` takes.
#[derive(Debug, Args)]
pub(crate) struct AssignArgs {
    /// CSV with `application,expert,affinity`; a pair not listed has affinity 0; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    affinity: PathBuf,
    /// Reviews of each application.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    per_application: u32,
    /// The most reviews of each expert.
    #[arg(long, value_name = "L")]
    max_load: u32,
    /// The fewest reviews of each expert.
    #[arg(long, value_name = "M", default_value = "0")]
    min_load: u32,
    /// CSV with `application,expert`: pairs that must never be.
    #[arg(long, value_name = "FILE")]
    conflicts: Option<PathBuf>,
    /// CSV with `application,expert`: pairs that are assigned already and stay.
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// CSV with `room,application,expert`, one of the two in each row: who sits, and what is scored, in which room.
    #[arg(long, value_name = "FILE")]
    rooms: Option<PathBuf>,
    /// What is best.
    #[arg(long, value_enum, default_value = "total")]
    fairness: Best,
    /// Decides between equally good assignments, and nothing else.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Best {
    Total,
    WorstFirst,
}

/// Does what is asked.
pub(crate) fn run(args: &AssignArgs) -> Result<(), Stop> {
    if args.max_load < args.min_load {
        return Err(Stop::Trouble("--min-load is above --max-load".into()));
    }
    let problem = read(args)?;
    let start = Instant::now();
    let best = match assign(&problem) {
        Ok(best) => best,
        Err(AssignmentError::Faults(faults)) => {
            for fault in &faults {
                complain(fault);
            }
            return Err(Stop::No);
        }
        Err(AssignmentError::Infeasible(cause)) => return Err(Stop::Trouble(cause.to_string())),
    };
    let elapsed = u64::try_from(start.elapsed().as_millis())?;
    let rows: Vec<Vec<Cell>> = best
        .pairs
        .iter()
        .map(|pair| {
            [&pair.application, &pair.expert, &pair.affinity.to_string()]
                .map(|text| Cell::of(Some(text)))
                .to_vec()
        })
        .collect();
    let least = &best.minimum_application_affinity;
    let more = Map::from_iter([
        ("objective".into(), best.objective.to_string().into()),
        ("bound".into(), best.bound.to_string().into()),
        (
            "minimum_application_affinity".into(),
            least.to_string().into(),
        ),
        ("elapsed_ms".into(), elapsed.into()),
    ]);
    let header = ["application", "expert", "affinity"];
    let more = Some(("assignments", more));
    table::show(args.output.format, &header, &rows, more)
}

fn read(args: &AssignArgs) -> Result<AssignmentProblem, Stop> {
    let standard = Path::new("-");
    let more = [&args.conflicts, &args.keep, &args.rooms];
    let files = more.into_iter().flatten().chain([&args.affinity]);
    if 1 < files.filter(|file| *file == standard).count() {
        return Err(Stop::Trouble("only one file can be standard input".into()));
    }
    let mut problem = AssignmentProblem {
        per_application: args.per_application,
        max_load: args.max_load,
        min_load: args.min_load,
        fairness: match args.fairness {
            Best::Total => Fairness::Total,
            Best::WorstFirst => Fairness::WorstFirst,
        },
        seed: args.seed.map(|seed| seed.to_be_bytes().to_vec()),
        ..AssignmentProblem::default()
    };
    let affinities = read_affinities(&args.affinity, &mut problem);
    let known = Known {
        applications: problem.applications.iter().cloned().collect(),
        experts: problem.experts.iter().cloned().collect(),
    };
    let pairs = |file: &Option<PathBuf>| {
        file.as_deref()
            .map_or(Ok(Vec::new()), |file| known.pairs(file))
    };
    let (conflicts, keep) = (pairs(&args.conflicts), pairs(&args.keep));
    let rooms = args
        .rooms
        .as_deref()
        .map_or(Ok(Rooms::default()), |file| known.rooms(file));
    // Every file has had its say.
    affinities?;
    (problem.conflicts, problem.keep, problem.rooms) = (conflicts?, keep?, rooms?);
    Ok(problem)
}

fn read_affinities(file: &Path, problem: &mut AssignmentProblem) -> Result<(), Stop> {
    let mut input = table::read(file, &["application", "expert", "affinity"])?;
    let mut lines = BTreeMap::new();
    let (mut applications, mut experts) = (BTreeSet::new(), BTreeSet::new());
    for row in input.take() {
        let application = input.name(&row, "application");
        let expert = input.name(&row, "expert");
        let affinity = input.value(&row, "affinity");
        if applications.insert(application.clone()) {
            problem.applications.push(application.clone());
        }
        if experts.insert(expert.clone()) {
            problem.experts.push(expert.clone());
        }
        let pair = (application.clone(), expert.clone());
        match lines.get(&pair) {
            Some(line) => {
                input.blame(&row, "expert", &format!("the pair stands in line {line}"));
            }
            None => {
                lines.insert(pair, row.line());
            }
        }
        problem.affinities.push(Affinity {
            application,
            expert,
            affinity,
        });
    }
    input.finish()
}

/// Everybody and everything in the affinity file: a misspelt name elsewhere would let a conflict through.
struct Known {
    applications: BTreeSet<String>,
    experts: BTreeSet<String>,
}

impl Known {
    fn blame(&self, input: &mut table::Rows, row: &Row, column: &str, name: &str) {
        let known = match column {
            "application" => &self.applications,
            _ => &self.experts,
        };
        if !name.is_empty() && !known.contains(name) {
            input.blame(
                row,
                column,
                &format!("`{name}` is not in the affinity file"),
            );
        }
    }

    fn pairs(&self, file: &Path) -> Result<Vec<Pair>, Stop> {
        let mut input = table::read(file, &["application", "expert"])?;
        let mut pairs = Vec::new();
        for row in input.take() {
            let application = input.name(&row, "application");
            let expert = input.name(&row, "expert");
            for (column, name) in [("application", &application), ("expert", &expert)] {
                self.blame(&mut input, &row, column, name);
            }
            pairs.push(Pair {
                application,
                expert,
            });
        }
        input.finish()?;
        Ok(pairs)
    }

    fn rooms(&self, file: &Path) -> Result<Rooms, Stop> {
        let mut input = table::read(file, &["room", "application", "expert"])?;
        let mut rooms = Rooms::default();
        for row in input.take() {
            let room = input.name(&row, "room");
            let filled = |column| !input.text(&row, column).trim().is_empty();
            let (column, list) = match (filled("application"), filled("expert")) {
                (true, false) => ("application", &mut rooms.applications),
                (false, true) => ("expert", &mut rooms.experts),
                _ => {
                    input.blame(
                        &row,
                        "application",
                        "name an application or an expert, one in each row",
                    );
                    continue;
                }
            };
            let name = input.text(&row, column).trim().to_owned();
            self.blame(&mut input, &row, column, &name);
            if let Some(other) = list.insert(name, room) {
                input.blame(&row, column, &format!("it is in room `{other}` already"));
            }
        }
        input.finish()?;
        Ok(rooms)
    }
}
