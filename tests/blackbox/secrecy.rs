//! Who learns what (`visibility.md`): every role is put to every operation, and nobody's answers
//! depend on what they may not see.

mod interference;
mod matrix;
mod reader;
mod rules;
