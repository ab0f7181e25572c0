//! What numbers say: rubrics, aggregation, calibration, ranking, assignment, allocation and draws.
//!
//! Everything here is a pure function of its arguments: no clock, no chance, no input or output.
//! The same arguments give the same bytes on every machine, so that anyone can recompute a result
//! from what was recorded. The crate is a leaf: it knows scores and bids, not flows or people.

mod aggregate;
mod agreement;
mod allocate;
mod assign;
mod calibrate;
mod draw;
mod fixed;
mod number;
mod radix;
mod rank;
mod rubric;
mod table;
mod yuan;

pub use aggregate::{
    Aggregate, AggregateNote, Aggregation, AggregationFault, Grade, Method, SheetScore, aggregate,
    combine, grade,
};
pub use agreement::{
    Agreement, IdenticalSheets, Spread, SpreadRule, agreement, icc_1k, identical_sheets,
    krippendorff_alpha, spread,
};
pub use allocate::{
    Allocation, AllocationError, AmountRule, Bid, Certificate, Decision, DomainLimits, Objective,
    Outcome, RankTier, RulesFault, ScoreTier, SelectionMode, SelectionRules, WhenShort, allocate,
};
pub use assign::{
    Affinity, Assignment, AssignmentError, AssignmentProblem, Cause, Fairness, Pair, Rooms, assign,
};
pub use calibrate::{
    Calibrated, Calibration, CalibrationMethod, CalibrationRule, CalibrationRules, ExpertEffect,
    Leniency, LinkedPart, calibrate, calibrated,
};
pub use draw::{
    DrawError, DrawStep, Drawn, Panel, PanelError, PanelMember, PanelRules, Pool, Substitution,
    WeightedDrawn, WeightedItem, WeightedStep, commitment, draw, draw_panel, draw_weighted,
    list_hash,
};
pub use fixed::Fixed;
pub use number::{Exact, NumberError, Rounding};
pub use rank::{Candidate, Order, Ranked, TieBreak, rank};
pub use rubric::{
    Criterion, CriterionKind, Marks, Rubric, RubricFault, SheetFault, SheetFaultCode,
};
pub use table::{Placed, ScoreRow, ScoreTable, TableFault};
pub use yuan::{Yuan, YuanError};
