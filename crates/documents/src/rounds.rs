//! What the papers of a round have in common: its results, and what was scored.

use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::panel::{Outcome, Panel};
use fundcycle_core::policy::{PolicyDocument, Round};
use fundcycle_core::world::{Need, World};
use uuid::Uuid;

use crate::document::{Source, View};
use crate::paper::{Cell, Column};
use crate::words::Language;

/// The results of a panel that has closed, with the rules they came from.
pub(crate) struct Closed {
    pub(crate) view: View,
    pub(crate) round: Round,
    pub(crate) policy: PolicyDocument,
    pub(crate) results: Vec<Outcome>,
    /// Decimals of a published score.
    pub(crate) scale: u8,
}

impl Closed {
    /// None where the reader sees no results.
    pub(crate) fn of(source: &Source<'_>) -> Option<Self> {
        let view = source.record()?;
        let round: Round = view.read("round")?;
        let results: Vec<Outcome> = view.read("results")?;
        let policy = source.programme()?;
        let scale = policy.rounds.get(&round)?.aggregation.scale;
        (!results.is_empty()).then_some(Self {
            view,
            round,
            policy,
            results,
            scale,
        })
    }

    /// What the papers of a round say at their top.
    pub(crate) fn facts(&self, source: &Source<'_>) -> Vec<(String, String)> {
        let language = source.language;
        let number = |name: &str| {
            let number: Option<u32> = self.view.read(name);
            number.map_or_else(String::new, |number| number.to_string())
        };
        let mut facts = vec![
            (
                language.say(("评审轮次", "Round")).to_owned(),
                language.name(self.round),
            ),
            (
                language.say(("规则版本", "Policy version")).to_owned(),
                number("policy_number"),
            ),
            (
                language.say(("排名版本", "Ranking version")).to_owned(),
                number("ranking_version"),
            ),
        ];
        if let Some(at) = self.view.changed_at() {
            let label = language.say(("数据截至", "Data as of"));
            facts.push((label.to_owned(), language.moment(at, &source.zone())));
        }
        facts
    }

    /// In words: what became of it, and the rule that decided.
    pub(crate) fn remarks(&self, outcome: &Outcome, language: Language) -> String {
        let mut remarks = Vec::new();
        if matches!(self.round, Round::PaperReview) {
            remarks.push(if outcome.goes_on {
                language.say(("入围", "goes on")).to_owned()
            } else {
                language.say(("未入围", "does not go on")).to_owned()
            });
        }
        if outcome.input.vetoed {
            remarks.push(language.say(("一票否决", "vetoed")).to_owned());
        }
        if let Some(rule) = &outcome.decided_by {
            let rule = self.rule(rule, language);
            remarks
                .push(language.choose(format!("同分依据:{rule}"), format!("tie broken by {rule}")));
        }
        remarks.join(language.say((";", "; ")))
    }

    /// A tie-break in words.
    fn rule(&self, rule: &str, language: Language) -> String {
        let known = match rule {
            "requested" => Some(("申请金额", "the amount asked for")),
            "submitted_at" => Some(("提交时间", "the time of submission")),
            "lots" => Some(("抽签", "lots")),
            _ => None,
        };
        if let Some(words) = known {
            return language.say(words).to_owned();
        }
        if let Some(round) = rule.strip_prefix("round:").and_then(Round::from_name) {
            return language.name(round);
        }
        let criteria = self
            .policy
            .rounds
            .get(&self.round)
            .map(|rules| rules.rubric.criteria.as_slice())
            .unwrap_or_default();
        let key = rule.strip_prefix("criterion:").unwrap_or(rule);
        let criterion = criteria.iter().find(|criterion| criterion.key == key);
        criterion.map_or_else(
            || rule.to_owned(),
            |one| language.choose(&one.title, one.title_en.as_deref().unwrap_or(&one.title)),
        )
    }
}

/// Applications before the award, projects after it.
pub(crate) const fn subjects(round: Round) -> Kind {
    match round {
        Round::Midterm | Round::Final => Kind::Project,
        Round::PaperReview | Round::Roadshow => Kind::Application,
    }
}

/// What a panel scored, and whose that is.
pub(crate) fn needs(state: &State, world: &World) -> Vec<Need> {
    let State::Panel(panel) = state else {
        return Vec::new();
    };
    let Panel {
        round: Some(round),
        subjects: ids,
        ..
    } = &panel.data
    else {
        return Vec::new();
    };
    let kind = subjects(*round);
    ids.iter()
        .flat_map(|id| {
            [Need::One(kind, *id)]
                .into_iter()
                .chain(owner(kind, *id, world))
        })
        .collect()
}

/// The organisation of an application or project, once that is known.
pub(crate) fn owner(kind: Kind, id: Uuid, world: &World) -> Option<Need> {
    let organisation = world.state(kind, id)?.index().organisation?;
    Some(Need::One(Kind::Organisation, organisation))
}

/// Number, title, organisation and domain of an application or project.
pub(crate) struct Named {
    pub(crate) number: String,
    pub(crate) title: String,
    pub(crate) organisation: String,
    pub(crate) domain: String,
}

impl Named {
    /// What the reader sees of it; empty where they see nothing.
    pub(crate) fn of(source: &Source<'_>, kind: Kind, id: Uuid) -> Self {
        let view = source.one(kind, id);
        let text = |name: &str| {
            view.as_ref()
                .map_or_else(String::new, |view| view.text(name))
        };
        if kind == Kind::Project {
            return Self {
                number: String::new(),
                title: text("title"),
                organisation: text("organisation_name"),
                domain: text("domain"),
            };
        }
        let form: Option<fundcycle_core::application::Form> =
            view.as_ref().and_then(|view| view.read("form"));
        let form = form.unwrap_or_default();
        let owner = view
            .as_ref()
            .and_then(|view| view.read("organisation"))
            .and_then(|id| source.one(Kind::Organisation, id));
        let profile: Option<fundcycle_core::organisation::Profile> =
            owner.and_then(|owner| owner.read("profile"));
        Self {
            number: text("number"),
            title: form.title,
            organisation: profile.map(|profile| profile.name).unwrap_or_default(),
            domain: form.domain,
        }
    }

    /// As cells, in the order of [`Named::columns`].
    pub(crate) fn cells(self) -> [Cell; 4] {
        [self.number, self.title, self.organisation, self.domain].map(Cell::Text)
    }

    /// The columns of [`Named::cells`].
    pub(crate) fn columns(language: Language) -> [Column; 4] {
        [
            Column::new(language.say(("编号", "Number")), 20),
            Column::new(language.say(("项目名称", "Project")), 32),
            Column::new(language.say(("申报单位", "Organisation")), 32),
            Column::new(language.say(("领域", "Domain")), 14),
        ]
    }
}
