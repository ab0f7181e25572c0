//! What a funding cycle is and what may happen in it. Pure: no I/O, no clock, no randomness, no async.
//!
//! Reading order: [`aggregate`] (what every kind of record has in common), [`application`] (the
//! spine of a cycle, whose flow is a table), [`policy`] (the rules, as data), [`engine`] (the one way
//! a command becomes facts), [`visibility`] (the one predicate for who sees what).
//!
//! - *Record*: one account, organisation, cycle, application … with a stage and a version.
//! - *Command*: what somebody asks; *verb*: its name. *Event*: what is recorded of it.
//! - *Move*: an arrow of a flow. *Gate*: what keeps it shut.
//! - *Journal*: the gapless list of everything that happened in one cycle, or in the registry.

#[macro_use]
pub mod names;

pub mod actor;
pub mod aggregate;
pub mod context;
pub mod diagram;
pub mod digest;
pub mod disclosure;
pub mod engine;
pub mod invariants;
pub mod kinds;
pub mod present;
pub mod proof;
pub mod rejection;
pub mod reminder;
mod seed;
pub mod standing;
pub mod time;
pub mod visibility;
pub mod world;

pub mod calendar;
pub mod money;
pub mod numerals;
pub mod text;
pub mod uscc;

pub mod account;
pub mod expert;
pub mod interest;
pub mod organisation;
pub mod signing_key;

pub mod application;
pub mod attachment;
pub mod cycle;
pub mod panel;
pub mod policy;
pub mod sheet;

pub mod board;
pub mod notice;
pub mod objection;
pub mod pitch_session;
pub mod selection;
pub mod slot;
pub mod timetable;

pub mod activity;
pub mod award;
pub mod change_request;
pub mod evaluation;
pub mod flag;
pub mod project;
pub mod report;
pub mod tranche;
pub mod visit;

pub mod verification;

#[cfg(test)]
mod flow_tests;
