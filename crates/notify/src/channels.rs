//! The ways out that there are.

pub mod inbox;
pub mod log;
