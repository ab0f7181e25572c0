//! Who is told, of what, in which words, and how it reaches them.
//!
//! [`messages`] is a pure function from a fact to messages; the store writes them in the fact's own
//! transaction. [`delivery`] leases what is due and hands it to the [`channel`] it is for: at least
//! once, with an identity that stays the same, so that a receiver can tell a repeat.

pub mod channel;
pub mod channels;
pub mod delivery;
pub mod digest;
pub mod message;
pub mod preferences;
pub mod reminders;
pub mod routes;
pub mod template;

pub use message::messages;
