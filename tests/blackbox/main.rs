//! The built binary, from outside: its command line, and the whole cycle over HTTP on both engines.
#![expect(clippy::unwrap_used, reason = "tests")]

mod command_line;
mod cycle;
mod support;
