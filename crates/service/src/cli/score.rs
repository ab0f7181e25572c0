//! `fundcycle score`: from sheets to ranks.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use fundcycle_scoring::{
    Aggregation, CalibrationRule, Exact, Method, Placed, Rounding, ScoreRow, ScoreTable,
    TableFault, calibrate,
};

use super::table::{self, Cell, Output, Row};
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
    let table = read(args)?;
    let placed = placed(args, &table);
    if placed
        .iter()
        .any(|row| 0 < row.sheets && (row.score.is_none() || row.raw.is_none()))
    {
        complain("the scores are too large for this many decimals");
        return Err(Stop::No);
    }
    let name = |index: usize| table.applications().get(index);
    let rows: Vec<Vec<Cell>> = placed
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
    let header = ["rank", "application", "score", "sheets", "used", "raw"];
    table::show(args.output.format, &header, &rows, None)
}

fn placed(args: &ScoreArgs, table: &ScoreTable) -> Vec<Placed> {
    let rounding = match args.rounding {
        Round::HalfUp => Rounding::HalfUp,
        Round::HalfEven => Rounding::HalfEven,
        Round::Down => Rounding::Down,
    };
    let calibrated =
        |rule: &CalibrationRule| calibrate(rule, table).ranking(table, args.scale, rounding);
    let aggregated = |method| {
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
    };
    match args.method {
        By::Mean => aggregated(Method::Mean),
        By::Median => aggregated(Method::Median),
        By::TrimmedMean => aggregated(Method::TrimmedMean),
        By::ZScore => calibrated(&CalibrationRule::ZScore),
        By::Additive => calibrated(&CalibrationRule::Additive { ridge: Exact::ZERO }),
    }
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
