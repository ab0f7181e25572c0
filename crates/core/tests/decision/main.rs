//! From the roadshow to the end of the public notice, played through the engine on a small cycle.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod notice;
mod play;
mod roadshow;
mod selection;
