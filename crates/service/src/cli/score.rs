//! `fundcycle score`: from sheets to ranks.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use fundcycle_scoring::{
    Aggregation, Calibration, CalibrationRule, Exact, Fixed, Method, Placed, Rounding, ScoreRow,
    ScoreTable, TableFault, calibrate,
};
use serde_json::{Map, json};

use super::table::{self, Cell, Format, Output, Row};
use super::{Stop, complain};

/// What `score` takes.
#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    /// CSV with `expert,application,score`; an empty score is no sheet; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    scores: PathBuf,
    /// How sheets become a score.
    #[arg(long, value_enum)]
    method: By,
    /// `trimmed_mean`: highest scores to leave out [default: 1 if --drop-low is absent too, else 0]
    #[arg(long, value_name = "N")]
    drop_high: Option<u32>,
    /// `trimmed_mean`: lowest scores to leave out [default: 1 if --drop-high is absent too, else 0]
    #[arg(long, value_name = "N")]
    drop_low: Option<u32>,
    /// `trimmed_mean`: where fewer would remain, none is left out [default: 3]
    #[arg(long, value_name = "N")]
    min_remaining: Option<u32>,
    /// `additive`: penalty on the squared effects of experts, which draws those with few scores to 0 [default: 0]
    #[arg(long, value_name = "NUMBER")]
    ridge: Option<Exact>,
    /// Decimals.
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u8).range(0..=12))]
    scale: u8,
    /// How the score is rounded, once, at the end.
    #[arg(long, value_enum, default_value = "half_up")]
    rounding: Round,
    #[command(flatten)]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum By {
    Mean,
    Median,
    TrimmedMean,
    ZScore,
    Additive,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Round {
    HalfUp,
    HalfEven,
    Down,
}

/// Does what is asked.
pub(crate) fn run(args: &ScoreArgs) -> Result<(), Stop> {
    let trims = [args.drop_high, args.drop_low, args.min_remaining];
    if args.method != By::TrimmedMean && trims.iter().any(Option::is_some) {
        return Err(Stop::Trouble(
            "--drop-high, --drop-low and --min-remaining go with --method trimmed_mean".into(),
        ));
    }
    if let Some(ridge) = &args.ridge
        && (args.method != By::Additive || ridge < &Exact::ZERO)
    {
        return Err(Stop::Trouble(
            "--ridge goes with --method additive, and is not negative".into(),
        ));
    }
    let table = read(args)?;
    let calibration = calibration(args, &table);
    let placed = placed(args, &table, calibration.as_ref());
    if placed
        .iter()
        .any(|row| 0 < row.sheets && (row.score.is_none() || row.raw.is_none()))
    {
        complain("the scores are too large for this many decimals");
        return Err(Stop::No);
    }
    let name = |index: usize| table.applications().get(index);
    let mut rows: Vec<Vec<Cell>> = placed
        .iter()
        .map(|row| {
            vec![
                row.rank.map_or(Cell::None, |rank| Cell::Count(rank.into())),
                Cell::of(name(row.application)),
                Cell::of(row.score),
                Cell::Count(row.sheets.into()),
                Cell::Count(row.used.into()),
                Cell::of(row.raw),
            ]
        })
        .collect();
    let mut header = vec!["rank", "application", "score", "sheets", "used", "raw"];
    let format = args.output.format;
    let Some(calibration) = calibration else {
        return table::show(format, &header, &rows, None);
    };
    if args.method == By::Additive {
        warn_of_parts(&calibration, &table);
    }
    if let Format::Csv = format {
        return table::show(format, &header, &rows, None);
    }
    header.push("raw_rank");
    let by_raw = table.ranking(&Aggregation {
        scale: args.scale,
        rounding: rounding(args),
        ..Aggregation::default()
    });
    let raw_ranks: BTreeMap<usize, Option<u32>> = by_raw
        .iter()
        .map(|row| (row.application, row.rank))
        .collect();
    for (cells, row) in rows.iter_mut().zip(&placed) {
        let rank = raw_ranks.get(&row.application).copied().flatten();
        cells.push(rank.map_or(Cell::None, |rank| Cell::Count(rank.into())));
    }
    let experts = ["expert", "sheets", "leniency", "standard_error"];
    let effects = effects(args, &calibration, &table);
    if let Format::Table = format {
        table::show(format, &header, &rows, None)?;
        return table::show(format, &experts, &effects, None);
    }
    let parts = calibration.parts.iter();
    let parts: Vec<Vec<&String>> = parts
        .map(|part| part.iter().copied().filter_map(name).collect())
        .collect();
    let more = Map::from_iter([
        ("experts".into(), table::objects(&experts, &effects)),
        ("parts".into(), json!(parts)),
    ]);
    table::show(format, &header, &rows, Some(("ranking", more)))
}

fn calibration(args: &ScoreArgs, table: &ScoreTable) -> Option<Calibration> {
    let rule = match args.method {
        By::Mean | By::Median | By::TrimmedMean => return None,
        By::ZScore => CalibrationRule::ZScore,
        By::Additive => CalibrationRule::Additive {
            ridge: args.ridge.clone().unwrap_or_default(),
        },
    };
    Some(calibrate(&rule, table))
}

/// How lenient each expert is and, in the additive model, how sure that is.
fn effects(args: &ScoreArgs, calibration: &Calibration, table: &ScoreTable) -> Vec<Vec<Cell>> {
    let errors = if args.method == By::Additive {
        // They are those of the model without ridge.
        let free = CalibrationRule::Additive { ridge: Exact::ZERO };
        calibrate(&free, table).standard_errors(table)
    } else {
        vec![None; calibration.experts.len()]
    };
    let points = |value: f64| Cell::of(Fixed::from_f64(value, args.scale, Rounding::HalfUp));
    table
        .experts()
        .iter()
        .zip(&calibration.experts)
        .zip(errors)
        .map(|((name, effect), error)| {
            vec![
                Cell::of(Some(name)),
                Cell::Count(effect.sheets.into()),
                points(effect.leniency),
                error.map_or(Cell::None, points),
            ]
        })
        .collect()
}

/// How many applications of a part are named in a warning; JSON names all.
const NAMED: usize = 20;

/// Says which applications cannot be compared with which.
fn warn_of_parts(calibration: &Calibration, table: &ScoreTable) {
    let parts = &calibration.parts;
    if parts.len() < 2 {
        return;
    }
    complain(&format!(
        "warning: no expert links these {} parts, so their scores cannot be compared with each other:",
        parts.len()
    ));
    for (number, part) in (1..).zip(parts) {
        let names = part.iter().take(NAMED);
        let names = names.filter_map(|index| table.applications().get(*index));
        let names: Vec<&str> = names.map(String::as_str).collect();
        let more = match part.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        complain(&format!(
            "warning: part {number}: {}{more}",
            names.join(", ")
        ));
    }
}

fn rounding(args: &ScoreArgs) -> Rounding {
    match args.rounding {
        Round::HalfUp => Rounding::HalfUp,
        Round::HalfEven => Rounding::HalfEven,
        Round::Down => Rounding::Down,
    }
}

fn placed(args: &ScoreArgs, table: &ScoreTable, calibration: Option<&Calibration>) -> Vec<Placed> {
    let rounding = rounding(args);
    if let Some(calibration) = calibration {
        return calibration.ranking(table, args.scale, rounding);
    }
    let method = match args.method {
        By::Median => Method::Median,
        By::TrimmedMean => Method::TrimmedMean,
        By::Mean | By::ZScore | By::Additive => Method::Mean,
    };
    let default = Aggregation::default();
    let neither = u32::from(args.drop_high.is_none() && args.drop_low.is_none());
    table.ranking(&Aggregation {
        method,
        drop_high: args.drop_high.unwrap_or(neither),
        drop_low: args.drop_low.unwrap_or(neither),
        min_remaining: args.min_remaining.unwrap_or(default.min_remaining),
        scale: args.scale,
        rounding,
        ..default
    })
}

fn read(args: &ScoreArgs) -> Result<ScoreTable, Stop> {
    let mut input = table::read(&args.scores, &["expert", "application", "score"])?;
    let rows = input.take();
    let mut scores: Vec<(String, String, Option<Exact>)> = Vec::with_capacity(rows.len());
    for row in &rows {
        let application = input.name(row, "application");
        if input.text(row, "score").trim().is_empty() {
            // Whoever has no sheet need not be named.
            scores.push((String::new(), application, None));
        } else {
            let expert = input.name(row, "expert");
            let score = input.value(row, "score");
            scores.push((expert, application, Some(score)));
        }
    }
    let entries = scores.iter().map(|(expert, application, score)| ScoreRow {
        expert,
        application,
        score: score.as_ref(),
    });
    match ScoreTable::new(entries) {
        Ok(table) => {
            input.finish()?;
            Ok(table)
        }
        Err(faults) => {
            let line = |index: usize| rows.get(index).map_or(0, Row::line);
            for fault in faults {
                let (row, column, message) = match fault {
                    TableFault::Duplicate { row, first } => {
                        let message = format!(
                            "the expert has scored the application in line {}",
                            line(first)
                        );
                        (row, "expert", message)
                    }
                    TableFault::TooFine { row } => {
                        let message = "too many digits to be added exactly to the other scores";
                        (row, "score", message.to_owned())
                    }
                };
                if let Some(row) = rows.get(row) {
                    input.blame(row, column, &message);
                }
            }
            input.finish()?;
            Err(Stop::No)
        }
    }
}
