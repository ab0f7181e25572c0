//! Draws of an order: the list and the commitment before the seed, and the order that follows.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_scoring::{commitment, draw, list_hash};
use uuid::Uuid;

use super::Said;
use super::fact::Fact;
use crate::digest::from_hex;
use crate::pitch_session::Draw;

#[derive(Default)]
pub(super) struct Draws {
    names: BTreeMap<Uuid, String>,
    committed: BTreeMap<Uuid, Committed>,
    drawn: BTreeSet<Uuid>,
}

struct Committed {
    list: Vec<String>,
    list_hash: String,
    commitment: String,
}

impl Draws {
    pub(super) fn held(&self) -> usize {
        self.drawn.len()
    }

    pub(super) fn take(&mut self, fact: &Fact<'_>) -> Result<Option<Said>, Said> {
        let (id, seq) = (fact.id()?, fact.seq);
        match fact.text("verb") {
            "plan" | "revise" => {
                self.names.insert(id, fact.read("/data/planned/name")?);
            }
            "commit_draw" => {
                let committed = Committed {
                    list: fact.read("/data/committed/list")?,
                    list_hash: fact.read("/data/committed/list_hash")?,
                    commitment: fact.read("/data/committed/commitment")?,
                };
                if list_hash(&committed.list).as_deref() != Ok(&committed.list_hash) {
                    return Err(Said::differs(
                        format!("entry {seq}: the list that is drawn from has another hash"),
                        format!("第 {seq} 条:抽签名单的哈希不符"),
                    ));
                }
                self.committed.insert(id, committed);
            }
            "draw" => return self.draw(id, fact).map(Some),
            _ => {}
        }
        Ok(None)
    }

    fn draw(&mut self, id: Uuid, fact: &Fact<'_>) -> Result<Said, Said> {
        let seq = fact.seq;
        let recorded: Draw = fact.read("/data/drawn/draw")?;
        let name = self.names.get(&id).cloned().unwrap_or_default();
        let differs = |en: &str, zh: &str| {
            Err(Said::differs(
                format!("entry {seq}, draw of {name}: {en}"),
                format!("第 {seq} 条,“{name}”抽签:{zh}"),
            ))
        };
        let Some(committed) = self.committed.get(&id) else {
            return differs(
                "nobody committed to a seed before it",
                "抽签前没有登记种子承诺值",
            );
        };
        if !self.drawn.insert(id) {
            return differs("it was drawn before", "此前已抽过签");
        }
        let Some(seed) = from_hex(&recorded.seed) else {
            return differs("the seed is not hexadecimal", "种子不是十六进制");
        };
        if commitment(&seed) != committed.commitment {
            return differs("the seed is not the one committed to", "种子与承诺值不符");
        }
        let again = draw(&committed.list, &seed);
        if !again.is_ok_and(|again| {
            again.order == recorded.order && again.list_hash == recorded.list_hash
        }) {
            return differs(
                "list and seed give another order",
                "由名单和种子得出的顺序不同",
            );
        }
        let count = recorded.order.len();
        Ok(Said::holds(
            format!(
                "draw of {name}: the seed is the one committed to, and gives the order of all {count}"
            ),
            format!("“{name}”抽签:种子与承诺值一致,{count} 个次序全部重现"),
        ))
    }
}
