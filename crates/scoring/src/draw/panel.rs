//! A panel drawn by lots, with seats for categories of experts and drawn substitutes.
//!
//! All experts are drawn into one order ([`crate::draw()`]). The seats of each category, in the
//! byte order of the categories' names, go to the first of that category; the seats left go to the
//! first of all who have none. The next ones, in the order drawn, are the substitutes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrawError, Drawn, draw};

/// Who may be drawn: each expert's category.
pub type Pool = BTreeMap<String, String>;

/// How a panel is made up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PanelRules {
    /// Seats of the panel.
    pub seats: u32,
    /// The fewest members of a category, such as one of `finance`.
    #[serde(default)]
    pub at_least: BTreeMap<String, u32>,
    /// How many substitutes are drawn.
    #[serde(default)]
    pub substitutes: u32,
}

/// A panel, and who steps in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// The draw that everything follows from.
    pub drawn: Drawn,
    /// The members, in the order drawn.
    pub members: Vec<PanelMember>,
    /// The substitutes left, in the order drawn.
    pub substitutes: Vec<PanelMember>,
    /// Everyone who was replaced, in order.
    pub substitutions: Vec<Substitution>,
}

/// One expert on a panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PanelMember {
    /// The expert.
    pub expert: String,
    /// The expert's category.
    pub category: String,
}

/// A replacement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Substitution {
    /// Who does not take part.
    pub leaves: String,
    /// Who takes the seat.
    pub joins: String,
    /// Why, for the record.
    pub reason: String,
}

/// Why a panel cannot be made up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PanelError {
    /// The list of experts cannot be drawn from.
    #[error(transparent)]
    Draw(#[from] DrawError),
    /// Fewer experts than seats.
    #[error("the panel has {seats} seats, but only {experts} experts can be drawn")]
    TooFewExperts {
        /// Seats.
        seats: u32,
        /// Experts in the pool.
        experts: u32,
    },
    /// Too few experts of a category.
    #[error("the panel needs {needed} of category `{category}`, but only {found} can be drawn")]
    TooFewOfCategory {
        /// The category.
        category: String,
        /// Members needed.
        needed: u32,
        /// Experts in the pool.
        found: u32,
    },
    /// The categories need more seats than there are.
    #[error("the categories need {needed} seats, but the panel has {seats}")]
    TooFewSeats {
        /// Seats.
        seats: u32,
        /// Seats needed.
        needed: u32,
    },
    /// The expert to be replaced is no member.
    #[error("`{0}` is not a member of the panel")]
    NotAMember(String),
    /// No substitute keeps the categories' minimums.
    #[error("no substitute is left who could take the seat of `{0}`")]
    NoSubstitute(String),
}

/// Draws a panel.
pub fn draw_panel(rules: &PanelRules, pool: &Pool, seed: &[u8]) -> Result<Panel, PanelError> {
    let size = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let needed = rules
        .at_least
        .values()
        .fold(0_u32, |sum, count| sum.saturating_add(*count));
    if rules.seats < needed {
        return Err(PanelError::TooFewSeats {
            seats: rules.seats,
            needed,
        });
    }
    if size(pool.len()) < rules.seats {
        return Err(PanelError::TooFewExperts {
            seats: rules.seats,
            experts: size(pool.len()),
        });
    }
    let experts: Vec<String> = pool.keys().cloned().collect();
    let drawn = draw(&experts, seed)?;
    let mut seated = BTreeSet::new();
    for (category, needed) in &rules.at_least {
        let of_category = drawn
            .order
            .iter()
            .filter(|expert| pool.get(*expert) == Some(category));
        let first: Vec<&String> = of_category.take(*needed as usize).collect();
        if size(first.len()) < *needed {
            return Err(PanelError::TooFewOfCategory {
                category: category.clone(),
                needed: *needed,
                found: size(first.len()),
            });
        }
        seated.extend(first);
    }
    for expert in &drawn.order {
        if size(seated.len()) < rules.seats {
            seated.insert(expert);
        }
    }
    let member = |expert: &String| PanelMember {
        expert: expert.clone(),
        category: pool.get(expert).cloned().unwrap_or_default(),
    };
    let (members, others): (Vec<&String>, Vec<&String>) = drawn
        .order
        .iter()
        .partition(|expert| seated.contains(expert));
    Ok(Panel {
        members: members.into_iter().map(member).collect(),
        substitutes: others
            .into_iter()
            .take(rules.substitutes as usize)
            .map(member)
            .collect(),
        substitutions: Vec::new(),
        drawn,
    })
}

impl Panel {
    /// The panel with a member replaced by the first substitute with whom every category still has
    /// its minimum, and the replacement on record.
    pub fn replace(
        &self,
        rules: &PanelRules,
        leaves: &str,
        reason: &str,
    ) -> Result<Self, PanelError> {
        let seat = self
            .members
            .iter()
            .position(|member| member.expert == leaves)
            .ok_or_else(|| PanelError::NotAMember(leaves.to_owned()))?;
        for index in 0..self.substitutes.len() {
            let mut panel = self.clone();
            let joins = panel.substitutes.remove(index);
            panel.substitutions.push(Substitution {
                leaves: leaves.to_owned(),
                joins: joins.expert.clone(),
                reason: reason.to_owned(),
            });
            if let Some(member) = panel.members.get_mut(seat) {
                *member = joins;
            }
            if panel.has_minimums(rules) {
                return Ok(panel);
            }
        }
        Err(PanelError::NoSubstitute(leaves.to_owned()))
    }

    fn has_minimums(&self, rules: &PanelRules) -> bool {
        rules.at_least.iter().all(|(category, needed)| {
            let own = self
                .members
                .iter()
                .filter(|member| &member.category == category);
            *needed as usize <= own.count()
        })
    }
}
