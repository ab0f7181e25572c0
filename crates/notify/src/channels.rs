//! The ways out that there are.

pub mod email;
pub mod inbox;
pub mod log;
pub mod webhook;
