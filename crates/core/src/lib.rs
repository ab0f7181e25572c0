//! core

pub mod calendar;
pub mod money;
pub mod numerals;
pub mod text;
pub mod uscc;
