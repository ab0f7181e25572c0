//! Checking unified social credit codes, for staff.

use clap::Args;
use fundcycle_core::uscc::Uscc;

use super::{Stop, say};

/// What `uscc` takes.
#[derive(Debug, Args)]
pub(crate) struct UsccArgs {
    /// The codes.
    #[arg(required = true, value_name = "CODE")]
    codes: Vec<String>,
}

/// Does what is asked.
pub(crate) fn run(args: &UsccArgs) -> Result<(), Stop> {
    let mut all_valid = true;
    for code in &args.codes {
        let verdict = match Uscc::parse(code) {
            Ok(_) => "valid".to_owned(),
            Err(error) => {
                all_valid = false;
                error.to_string()
            }
        };
        say(&format!("{code} {verdict}"))?;
    }
    if all_valid { Ok(()) } else { Err(Stop::No) }
}
