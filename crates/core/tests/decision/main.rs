//! From the roadshow to the close, played through the engine on a small cycle.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod applicants;
mod assignment;
mod awards;
mod calibration;
mod changes;
mod closing;
mod draws;
mod endings;
mod evaluations;
mod grades;
mod interests;
mod limits;
mod merits;
mod money_flow;
mod money_lives;
mod monitoring;
mod notice;
mod play;
mod projects;
mod recompute;
mod reports;
mod roadshow;
mod rooms;
mod rubrics;
mod running;
mod selection;
mod sheets;
mod shortlist;
