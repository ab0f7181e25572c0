//! Everything that a file says, computed again.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::draws::Draws;
use super::fact::{Fact, path};
use super::notices::Notices;
use super::rankings::Rankings;
use super::selections::Selections;
use super::slots::Slots;
use super::{Export, FORMAT, Said};
use crate::calendar::WorkingDayCalendar;
use crate::digest::to_hex;
use crate::disclosure::{chained, digest};
use crate::kinds::Kind;
use crate::names::Names as _;
use crate::policy::PolicyDocument;
use crate::proof::Digest;

/// What has been read so far, entry by entry.
pub(super) struct Replay<'a> {
    pub(super) calendar: &'a WorkingDayCalendar,
    policies: BTreeMap<Uuid, PolicyDocument>,
    /// The policy in force, with its number.
    in_force: Option<(u32, Uuid)>,
    draws: Draws,
    pub(super) slots: Slots,
    pub(super) rankings: Rankings,
    pub(super) selections: Selections,
    pub(super) notices: Notices,
    said: Vec<Said>,
}

/// Computes again what `export` says, and tells what was compared: chain, signed head, policies, draws,
/// rankings, selections and windows. Anything that does not hold is among it, with its place. `signer`
/// is the fingerprint of the key that must have signed the head, where it is known.
pub fn check(export: &Export, signer: Option<Digest>, calendar: &WorkingDayCalendar) -> Vec<Said> {
    let mut replay = Replay {
        calendar,
        policies: BTreeMap::new(),
        in_force: None,
        draws: Draws::default(),
        slots: Slots::default(),
        rankings: Rankings::default(),
        selections: Selections::default(),
        notices: Notices::default(),
        said: Vec::new(),
    };
    if export.format != FORMAT {
        replay.say(Said::differs(
            format!(
                "the format is `{}`; this program reads `{FORMAT}`",
                export.format
            ),
            format!("文件格式为“{}”,本程序只能核验“{FORMAT}”", export.format),
        ));
        return replay.said;
    }
    let facts = replay.journal(export);
    replay.say(super::signed::head(export, signer));
    for fact in &facts {
        if let Err(said) = replay.take(fact) {
            replay.say(said);
        }
    }
    replay.rankings_end();
    let seen = [
        ("policies", "规则", replay.policies.len()),
        ("draws", "抽签", replay.draws.held()),
        ("rankings", "排名", replay.rankings.held()),
        ("selections", "遴选", replay.selections.held()),
        ("notices", "公示", replay.notices.held()),
    ];
    let en: Vec<String> = seen
        .iter()
        .map(|(en, _, count)| format!("{count} {en}"))
        .collect();
    let zh: Vec<String> = seen
        .iter()
        .map(|(_, zh, count)| format!("{zh} {count}"))
        .collect();
    replay.say(Said::holds(
        format!("computed again: {}", en.join(", ")),
        format!("已重新计算:{}", zh.join(",")),
    ));
    replay.said
}

impl Replay<'_> {
    pub(super) fn say(&mut self, said: Said) {
        self.said.push(said);
    }

    /// Whether each entry is what its hash says and follows from the one before.
    fn journal<'e>(&mut self, export: &'e Export) -> Vec<Fact<'e>> {
        let mut before = vec![0; 32];
        let mut at = i64::MIN;
        let mut facts = Vec::new();
        let mut broken = 0_usize;
        for (seq, line) in (1..).zip(&export.entries) {
            let fact = Fact::new(seq, line);
            let right = line
                .content
                .hash()
                .is_some_and(|content| to_hex(&chained(&before, &content)) == line.hash);
            if !right {
                broken += 1;
                self.say(Said::differs(
                    format!("entry {seq}: its hash does not follow from what it says and the entry before"),
                    format!("第 {seq} 条:哈希与内容及前一条记录不符"),
                ));
            }
            // Goes on from what is written, so that each fault is found once and in its place.
            before = digest(&line.hash)
                .map(|hash| hash.to_vec())
                .unwrap_or_default();
            if let Err(said) = head(&fact, export.cycle, &mut at) {
                broken += 1;
                self.say(said);
            }
            facts.push(fact);
        }
        if broken == 0 {
            let (count, head) = (facts.len(), to_hex(&before));
            self.say(Said::holds(
                format!("journal: {count} entries without a gap, each tied to the one before; the last has the hash {head}"),
                format!("记录链:共 {count} 条,连续无缺,逐条相扣;末条哈希 {head}"),
            ));
        }
        facts
    }

    fn take(&mut self, fact: &Fact<'_>) -> Result<(), Said> {
        match Kind::from_name(fact.text("kind")) {
            Some(Kind::Policy) => self.policy(fact),
            Some(Kind::Cycle) => self.cycle(fact),
            Some(Kind::PitchSession) => {
                let said = self.draws.take(fact)?;
                self.said.extend(said);
                Ok(())
            }
            Some(Kind::Slot) => self.slots.take(fact),
            Some(Kind::Panel | Kind::Sheet) => super::rankings::take(self, fact),
            Some(Kind::Selection) => super::selections::take(self, fact),
            Some(Kind::Notice) => {
                let said = Notices::take(self, fact)?;
                self.said.extend(said);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn policy(&mut self, fact: &Fact<'_>) -> Result<(), Said> {
        if !matches!(fact.text("verb"), "draft" | "revise") {
            return Ok(());
        }
        let document: PolicyDocument = fact.read("/data/written/document")?;
        let hash: String = fact.read("/data/written/hash")?;
        if document.hash() != hash {
            return Err(Said::differs(
                format!("entry {}: the hash of the policy is not {hash}", fact.seq),
                format!("第 {} 条:规则文本的哈希不是 {hash}", fact.seq),
            ));
        }
        self.policies.insert(fact.id()?, document);
        Ok(())
    }

    fn cycle(&mut self, fact: &Fact<'_>) -> Result<(), Said> {
        if !matches!(fact.text("verb"), "publish" | "amend") {
            return Ok(());
        }
        let number: u32 = fact.read("/data/policy_put_in_force/number")?;
        let policy: Uuid = fact.read("/data/policy_put_in_force/policy")?;
        let (expected, seq) = (self.in_force.map_or(1, |(number, _)| number + 1), fact.seq);
        let Some(document) = self.policies.get(&policy) else {
            return Err(Said::differs(
                format!("entry {seq}: policy {number} is not in the file"),
                format!("第 {seq} 条:文件中没有第 {number} 号规则"),
            ));
        };
        if number != expected {
            return Err(Said::differs(
                format!("entry {seq}: policy {number} follows where {expected} should"),
                format!("第 {seq} 条:规则编号为 {number},应为 {expected}"),
            ));
        }
        let hash = document.hash();
        self.in_force = Some((number, policy));
        self.say(Said::holds(
            format!("policy {number}: its text has the hash {hash}"),
            format!("第 {number} 号规则:文本哈希为 {hash}"),
        ));
        Ok(())
    }

    /// The policy in force where `fact` was recorded.
    pub(super) fn policy_at(&self, fact: &Fact<'_>) -> Result<(u32, &PolicyDocument), Said> {
        let in_force = self
            .in_force
            .and_then(|(number, id)| Some((number, self.policies.get(&id)?)));
        let named = fact.text("policy");
        in_force
            .filter(|(_, document)| document.hash() == named)
            .ok_or_else(|| {
                Said::differs(
                    format!(
                        "entry {}: it names the policy {named}, which was not in force",
                        fact.seq
                    ),
                    format!("第 {} 条:所引规则 {named} 当时并未生效", fact.seq),
                )
            })
    }
}

/// What every entry shows of itself.
fn head(fact: &Fact<'_>, cycle: Uuid, last: &mut i64) -> Result<(), Said> {
    let seq = fact.seq;
    let journal: Uuid = fact.read("/journal")?;
    let place: usize = fact.read("/seq")?;
    let differs = |en: String, zh: String| {
        Err(Said::differs(
            format!("entry {seq}: {en}"),
            format!("第 {seq} 条:{zh}"),
        ))
    };
    if journal != cycle {
        return differs(
            format!("it belongs to {journal}"),
            format!("属于另一届次 {journal}"),
        );
    }
    if place != seq {
        return differs(
            format!("it says that it is entry {place}"),
            format!("自称为第 {place} 条"),
        );
    }
    if Kind::from_name(fact.text("kind")).is_none() {
        return differs(
            "it does not say of what kind it is".to_owned(),
            "未写明记录类型".to_owned(),
        );
    }
    if fact.has(&path(&["at"])) {
        let at = fact.at()?;
        if at < *last {
            return differs(
                "it is older than an entry before it".to_owned(),
                "时间早于前面的记录".to_owned(),
            );
        }
        *last = at;
    }
    Ok(())
}
