//! The crate as its users see it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod amounts;
mod anchors;
mod assignment;
mod draws;
mod hard;
mod least_squares;
mod properties;
mod rubrics;
mod selection;
mod vectors;
