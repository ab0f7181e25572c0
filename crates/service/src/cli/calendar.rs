//! Counting working days, for staff.

use clap::{Args, Subcommand, ValueEnum};
use fundcycle_core::calendar::{FirstDay, WorkingDayCalendar};
use jiff::civil::Date;

use super::{Stop, say};

/// Count working days.
#[derive(Debug, Subcommand)]
pub(crate) enum CalendarCommand {
    /// Print the date on which a number of working days ends.
    #[command(after_help = "\
Example:
  fundcycle calendar end --start 2024-09-27 --working-days 7
Follows the State Council's calendar with its make-up days; a year that is not loaded is an error.")]
    End(EndArgs),
}

/// What `calendar end` takes.
#[derive(Debug, Args)]
pub(crate) struct EndArgs {
    /// The first day, such as 2024-09-27.
    #[arg(long, value_name = "DATE")]
    start: Date,
    /// How many working days.
    #[arg(long, value_name = "N")]
    working_days: u32,
    /// Whether the first day counts, if it is a working day.
    #[arg(long, value_enum, default_value = "counted")]
    first_day: First,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum First {
    /// It does; usual for public notices.
    Counted,
    /// Counting begins on the day after.
    NotCounted,
}

/// Does what is asked.
pub(crate) fn run(command: &CalendarCommand) -> Result<(), Stop> {
    let CalendarCommand::End(EndArgs {
        start,
        working_days,
        first_day,
    }) = command;
    let first_day = match first_day {
        First::Counted => FirstDay::Counted,
        First::NotCounted => FirstDay::NotCounted,
    };
    let end = WorkingDayCalendar::china()?.end_of(*start, *working_days, first_day)?;
    say(&end.to_string())
}
