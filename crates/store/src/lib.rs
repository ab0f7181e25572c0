//! What is remembered: journal, current state, outbox and queries, on SQLite and PostgreSQL.
//!
//! Each cycle has one journal, and so has the registry: a gapless, hash-chained list of facts.
//! Commands of a journal are decided one after another, many per transaction ([`Store::execute`]);
//! journal, state, messages and idempotency keys are written together or not at all. Reads go
//! their own way and never wait.
//!
//! Reading order: [`submission`] (what goes in and comes out), `writer` (how it becomes facts),
//! [`entry`] (what a fact looks like and how it is chained), `tree` and [`checkpoint`] (what proves
//! it, and what was signed of it), [`list`] and `visible` (how it is
//! found, by whom), [`replay`] (how it is checked), `db` (the only module that knows two engines).

#[macro_use]
mod db;

pub mod attempt;
pub mod checkpoint;
pub mod copy;
pub mod credential;
pub mod entry;
mod error;
pub mod factor;
pub mod failing;
mod health;
pub mod idempotency;
pub mod inbox;
pub mod list;
mod load;
pub mod outbox;
mod preference;
mod read;
pub mod replay;
mod row;
mod schema;
mod setting;
mod store;
pub mod submission;
pub mod token;
mod tree;
mod visible;
pub mod webhook;
pub mod wording;
mod writer;

pub use db::OpenError;
pub use error::StoreError;
pub use schema::SchemaState;
pub use store::{Options, Store};
pub use submission::{Answer, ExecuteError, Submission};
