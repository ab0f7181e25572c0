//! `fundcycle draw`: an order that anyone can draw again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use data_encoding::HEXLOWER_PERMISSIVE;
use fundcycle_scoring::{DrawStep, commitment, draw};
use serde_json::{Map, json};

use super::table::{self, Cell, Output};
use super::{Stop, complain};

/// What `draw` takes.
#[derive(Debug, Args)]
pub(crate) struct DrawArgs {
    /// CSV with the column `item`; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    items: PathBuf,
    /// The seed, in hexadecimal.
    #[arg(long, value_name = "HEX")]
    seed: String,
    /// Show every step, the hash of the list and the commitment to the seed.
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    output: Output,
}

/// Does what is asked.
pub(crate) fn run(args: &DrawArgs) -> Result<(), Stop> {
    let seed = HEXLOWER_PERMISSIVE
        .decode(args.seed.as_bytes())
        .ok()
        .filter(|seed| !seed.is_empty())
        .ok_or_else(|| Stop::Trouble("--seed takes bytes in hexadecimal, such as 00ff".into()))?;
    let drawn = match draw(&read(args)?, &seed) {
        Ok(drawn) => drawn,
        Err(error) => {
            complain(&error.to_string());
            return Err(Stop::No);
        }
    };
    let steps: BTreeMap<u64, &DrawStep> =
        drawn.steps.iter().map(|step| (step.index, step)).collect();
    let mut header = vec!["position", "item"];
    if args.explain {
        header.extend(["index", "random", "skipped", "swapped_with"]);
    }
    let rows: Vec<Vec<Cell>> = (0_u64..)
        .zip(&drawn.order)
        .map(|(index, item)| {
            let mut row = vec![Cell::Count(index + 1), Cell::of(Some(item))];
            if args.explain {
                row.extend(match steps.get(&index) {
                    Some(step) => [
                        Cell::Count(step.index),
                        Cell::of(Some(&step.random)),
                        Cell::Count(step.skipped.into()),
                        Cell::Count(step.swapped_with),
                    ],
                    // What is left over at the end takes the first place without a step.
                    None => [Cell::Count(index), Cell::None, Cell::None, Cell::None],
                });
            }
            row
        })
        .collect();
    let promised = commitment(&seed);
    if args.explain {
        complain(&format!("list hash {}", drawn.list_hash));
        complain(&format!("commitment {promised}"));
    }
    let more = Map::from_iter([
        ("list_hash".into(), json!(drawn.list_hash)),
        ("commitment".into(), json!(promised)),
    ]);
    table::show(args.output.format, &header, &rows, Some(("order", more)))
}

fn read(args: &DrawArgs) -> Result<Vec<String>, Stop> {
    let mut input = table::read(&args.items, &["item"])?;
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for row in input.take() {
        let item = input.name(&row, "item");
        match lines.get(&item) {
            Some(line) => input.blame(&row, "item", &format!("it stands in line {line} too")),
            None if item.contains(['\n', '\r']) => input.blame(&row, "item", "has a line break"),
            None => {
                lines.insert(item, row.line());
            }
        }
    }
    input.finish()?;
    Ok(lines.into_keys().collect())
}
