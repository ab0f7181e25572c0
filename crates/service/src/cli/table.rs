//! Tables in and out, for the commands that compute: CSV with a header in; CSV, JSON or text out.

mod input;
mod output;

pub(crate) use input::{Row, Rows, read, read_text};
pub(crate) use output::{Cell, Format, Output, objects, show};
