//! The binary: JSON API, sign-in, command line, configuration. It decides nothing.

mod api;
mod app;
mod auth;
mod cli;
mod clock;
mod config;
mod delivery;
mod demo;
mod files;
mod language;
mod limits;
mod openapi;
mod problem;
mod scheduler;
mod server;
mod signing;
mod telemetry;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
