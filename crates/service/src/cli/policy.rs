//! Checking the rules of a cycle before they are drafted.

use std::ops::Range;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use fundcycle_core::policy::check;
use fundcycle_core::rejection::Fault;
use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Stop, complain, say};
use crate::config::line_of;

/// Look at the rules of a cycle.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say everything that is wrong with a policy, each with its place.
    #[command(after_help = "\
Example:
  fundcycle policy check docs/examples/wujin-2024.toml
Reads TOML, or JSON where the name ends so. Exits with 1 if the policy cannot work.")]
    Check(CheckArgs),
}

/// What `policy check` takes.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The policy, as TOML or JSON.
    file: PathBuf,
}

/// Does what is asked.
pub(crate) fn run(command: &PolicyCommand) -> Result<(), Stop> {
    let PolicyCommand::Check(CheckArgs { file }) = command;
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Stop::Trouble(format!("{name} cannot be read: {error}")))?;
    let is_json = file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let (document, table) = match read(&text, is_json) {
        Ok(read) => read,
        Err((line, what)) => {
            complain(&format!("{name}:{line}: {what}"));
            return Err(Stop::No);
        }
    };
    match check::parse(&document) {
        Ok(policy) => say(&format!(
            "{name}: this policy can work; its hash is {}",
            policy.hash()
        )),
        Err(faults) => {
            for fault in &faults {
                complain(&located(fault, &name.to_string(), &text, table.as_ref()));
            }
            complain(&format!("{name}: {} fault(s)", faults.len()));
            Err(Stop::No)
        }
    }
}

type Parsed<'a> = (Value, Option<Spanned<DeTable<'a>>>);

/// The document, with its places where it is TOML; else the line and what is wrong there.
fn read(text: &str, is_json: bool) -> Result<Parsed<'_>, (usize, String)> {
    if is_json {
        let document = serde_json::from_str(text)
            .map_err(|error| (error.line(), format!("this is not JSON: {error}")))?;
        return Ok((document, None));
    }
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        (line, format!("this is not TOML: {}", error.message()))
    })?;
    let members = object(table.get_ref()).map_err(|(at, what)| (line_of(text, at.start), what))?;
    Ok((Value::Object(members), Some(table)))
}

/// TOML as JSON. A decimal number stays the text that it is: it never becomes a binary fraction.
fn json(value: &Spanned<DeValue<'_>>) -> Result<Value, (Range<usize>, String)> {
    let wrong = |what: String| (value.span(), what);
    Ok(match value.get_ref() {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Boolean(yes) => (*yes).into(),
        DeValue::Datetime(time) => time.to_string().into(),
        DeValue::Float(float) => float.as_str().replace('_', "").into(),
        DeValue::Integer(integer) => {
            let digits = integer.as_str().replace('_', "");
            let digits = digits.strip_prefix('+').unwrap_or(&digits);
            i64::from_str_radix(digits, integer.radix())
                .map_err(|_| wrong(format!("`{digits}` is too large")))?
                .into()
        }
        DeValue::Array(items) => items
            .iter()
            .map(json)
            .collect::<Result<Vec<Value>, _>>()?
            .into(),
        DeValue::Table(table) => Value::Object(object(table)?),
    })
}

fn object(table: &DeTable<'_>) -> Result<Map<String, Value>, (Range<usize>, String)> {
    table
        .iter()
        .map(|(name, value)| Ok((name.get_ref().to_string(), json(value)?)))
        .collect()
}

/// `file:line: /pointer (code): what`, the line being that of the nearest value that is there.
fn located(fault: &Fault, name: &str, text: &str, table: Option<&Spanned<DeTable<'_>>>) -> String {
    let line = table
        .and_then(|table| place(table.get_ref(), &fault.pointer))
        .map(|byte| format!("{}:", line_of(text, byte)));
    format!(
        "{name}:{} {} ({}): {} {}",
        line.unwrap_or_default(),
        fault.pointer,
        fault.code,
        fault.message.en,
        fault.message.zh
    )
}

fn place(table: &DeTable<'_>, pointer: &str) -> Option<usize> {
    let mut steps = pointer
        .split('/')
        .skip(1)
        .map(|step| step.replace("~1", "/").replace("~0", "~"));
    let (name, mut value) = table.get_key_value(steps.next()?.as_str())?;
    let mut at = name.span().start;
    for step in steps {
        let next = match value.get_ref() {
            DeValue::Table(table) => table
                .get_key_value(step.as_str())
                .map(|(name, value)| (name.span().start, value)),
            DeValue::Array(items) => step
                .parse::<usize>()
                .ok()
                .and_then(|index| items.get(index))
                .map(|value| (value.span().start, value)),
            _ => None,
        };
        let Some((start, inner)) = next else { break };
        (at, value) = (start, inner);
    }
    Some(at)
}
