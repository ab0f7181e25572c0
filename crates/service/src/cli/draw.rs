//! `fundcycle draw`: an order that anyone can draw again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use data_encoding::HEXLOWER_PERMISSIVE;
use fundcycle_scoring::{DrawError, DrawStep, WeightedItem, commitment, draw, draw_weighted};
use serde_json::{Map, json};

use super::table::{self, Cell, Output, Row};
use super::{Stop, complain};

/// What `draw` takes.
#[derive(Debug, Args)]
pub(crate) struct DrawArgs {
    /// CSV with the column `item` and, for `--weighted`, `weight`; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    items: PathBuf,
    /// The seed, in hexadecimal.
    #[arg(long, value_name = "HEX")]
    seed: String,
    /// Let items come early in proportion to their weight, a whole number of at least 1.
    #[arg(long)]
    weighted: bool,
    /// Show every step, the hash of the list and the commitment to the seed.
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    output: Output,
}

/// What a draw says, whichever way it was made.
struct Told {
    list_hash: String,
    header: &'static [&'static str],
    /// Position, item and, with `--explain`, the step that filled it.
    rows: Vec<Vec<Cell>>,
}

/// Does what is asked.
pub(crate) fn run(args: &DrawArgs) -> Result<(), Stop> {
    let seed = HEXLOWER_PERMISSIVE
        .decode(args.seed.as_bytes())
        .ok()
        .filter(|seed| !seed.is_empty())
        .ok_or_else(|| Stop::Trouble("--seed takes bytes in hexadecimal, such as 00ff".into()))?;
    let items = read(args)?;
    let told = if args.weighted {
        by_weight(&items, &seed)
    } else {
        let names: Vec<String> = items.into_iter().map(|item| item.item).collect();
        evenly(&names, &seed)
    };
    let Told {
        list_hash,
        header,
        mut rows,
    } = told.map_err(|error| {
        complain(&error.to_string());
        Stop::No
    })?;
    let width = if args.explain { header.len() } else { 2 };
    for row in &mut rows {
        row.truncate(width);
    }
    let promised = commitment(&seed);
    if args.explain {
        complain(&format!("list hash {list_hash}"));
        complain(&format!("commitment {promised}"));
    }
    let more = Map::from_iter([
        ("list_hash".into(), json!(list_hash)),
        ("commitment".into(), json!(promised)),
    ]);
    let header = header.get(..width).unwrap_or_default();
    table::show(args.output.format, header, &rows, Some(("order", more)))
}

fn evenly(items: &[String], seed: &[u8]) -> Result<Told, DrawError> {
    let drawn = draw(items, seed)?;
    let steps: BTreeMap<u64, &DrawStep> =
        drawn.steps.iter().map(|step| (step.index, step)).collect();
    let rows = (0_u64..).zip(&drawn.order).map(|(index, item)| {
        let mut row = vec![Cell::Count(index + 1), Cell::of(Some(item))];
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
        row
    });
    Ok(Told {
        rows: rows.collect(),
        list_hash: drawn.list_hash,
        header: &[
            "position",
            "item",
            "index",
            "random",
            "skipped",
            "swapped_with",
        ],
    })
}

fn by_weight(items: &[WeightedItem], seed: &[u8]) -> Result<Told, DrawError> {
    let drawn = draw_weighted(items, seed)?;
    let rows = (1..).zip(&drawn.steps).map(|(position, step)| {
        vec![
            Cell::Count(position),
            Cell::of(Some(&step.item)),
            Cell::Count(step.of),
            Cell::of(Some(&step.random)),
            Cell::Count(step.skipped.into()),
            Cell::Count(step.drawn),
        ]
    });
    Ok(Told {
        rows: rows.collect(),
        list_hash: drawn.list_hash,
        header: &["position", "item", "of", "random", "skipped", "drawn"],
    })
}

/// The items, each once; of weight 1 where weights make no difference.
fn read(args: &DrawArgs) -> Result<Vec<WeightedItem>, Stop> {
    let needed: &[&str] = if args.weighted {
        &["item", "weight"]
    } else {
        &["item"]
    };
    let mut input = table::read(&args.items, needed)?;
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let mut items = Vec::new();
    for row in input.take() {
        let item = input.verbatim(&row, "item");
        match lines.get(&item) {
            Some(line) => input.blame(&row, "item", &format!("it stands in line {line} too")),
            None if item.contains(['\n', '\r']) => input.blame(&row, "item", "has a line break"),
            None if args.weighted && item.contains('\t') => {
                input.blame(&row, "item", "has a tab, which parts item and weight");
            }
            None => {
                lines.insert(item.clone(), row.line());
            }
        }
        let weight = if args.weighted {
            weight(&mut input, &row)
        } else {
            1
        };
        items.push(WeightedItem { item, weight });
    }
    input.finish()?;
    Ok(items)
}

fn weight(input: &mut table::Rows, row: &Row) -> u32 {
    match input.text(row, "weight").trim().parse() {
        Ok(weight) if 0 < weight => weight,
        _ => {
            input.blame(row, "weight", "is no whole number from 1 to 4294967295");
            1
        }
    }
}
