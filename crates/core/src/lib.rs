//! core

pub mod text;
pub mod uscc;
