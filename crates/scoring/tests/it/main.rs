//! The crate as its users see it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod anchors;
mod assignment;
mod draws;
mod properties;
mod rubrics;
mod selection;
mod vectors;
