//! The built binary, from outside: its command line, and the whole cycle over HTTP on both engines.
#![expect(clippy::unwrap_used, reason = "tests")]

mod attachments;
mod bad_database;
mod bad_input;
mod calls;
mod command_line;
mod conventions;
mod coverage;
mod cycle;
mod desk;
mod district;
mod doctor;
mod documents;
mod exit_codes;
mod keeping;
mod launches;
mod limits;
mod money_ways;
mod numbers;
mod office;
mod proof;
mod recompute;
mod registry;
mod result_rules;
mod result_ways;
mod review_ways;
mod secrecy;
mod serving;
mod sheets;
mod sign_in;
mod support;
mod telling;
mod torture;
mod verification;
mod walk;
mod ways;
