//! Reading records, worlds and journals; never waits for a writer.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::actor::Actor;
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::panel;
use fundcycle_core::standing::{self, Standing};
use fundcycle_core::verification::Source;
use fundcycle_core::world::{Need, World};
use uuid::Uuid;

use crate::db::Statement;
use crate::entry::{self, Entry};
use crate::error::StoreError;
use crate::load::load;
use crate::row::{self, COLUMNS, StateRow};
use crate::store::Store;

/// Entries read at a time.
const PAGE: u32 = 1_000;

impl Store {
    /// The record with this id, of `kind` where one is asked for.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn read_one(
        &self,
        kind: Option<Kind>,
        id: Uuid,
    ) -> Result<Option<State>, StoreError> {
        let found = self.read_many(&[id]).await?;
        Ok(found
            .into_iter()
            .find(|state| kind.is_none_or(|kind| state.kind() == kind)))
    }

    /// The records with these ids, in no particular order; those that do not exist are left out.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn read_many(&self, ids: &[Uuid]) -> Result<Vec<State>, StoreError> {
        let mut sql = Statement::new("SELECT ");
        sql.push(COLUMNS)
            .push(" FROM state WHERE id IN ")
            .list(ids.iter().copied());
        let mut reader = self.pool().reader().await?;
        let rows: Vec<StateRow> = sql.fetch_all(&mut reader.engine()).await?;
        row::restore(&rows)
    }

    /// Every record of `kind` in `journal` that stands in one of `stages`, whoever may see it: for what
    /// the service does by itself.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn in_stages(
        &self,
        journal: Uuid,
        kind: Kind,
        stages: &[&str],
    ) -> Result<Vec<State>, StoreError> {
        let mut sql = Statement::new("SELECT ");
        sql.push(COLUMNS)
            .push(" FROM state WHERE journal = ")
            .bind(journal)
            .push(" AND kind = ")
            .bind(kind.name())
            .push(" AND stage IN ")
            .list(stages.iter().copied())
            .push(" ORDER BY created_at, id");
        let mut reader = self.pool().reader().await?;
        let rows: Vec<StateRow> = sql.fetch_all(&mut reader.engine()).await?;
        row::restore(&rows)
    }

    /// What has to be known beside `states` to say which moves are open from them: the cycles, the
    /// policies in force, and what the gates ask for.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn world_for(&self, states: &[State]) -> Result<World, StoreError> {
        let mut world = World::default();
        let mut needs: BTreeMap<Uuid, BTreeSet<Need>> = BTreeMap::new();
        for state in states {
            world.put(state.clone());
            let needs = needs.entry(state.journal()).or_default();
            needs.extend(state.moves_need());
            if state.journal() != REGISTRY {
                needs.insert(Need::One(Kind::Cycle, state.journal()));
            }
        }
        for (journal, needs) in needs {
            self.load_needs(journal, needs, &mut world).await?;
            if let Some(policy) = policy_of(&world, journal) {
                self.load_needs(journal, BTreeSet::from([policy]), &mut world)
                    .await?;
            }
        }
        Ok(world)
    }

    /// Loads what `needs` asks for, seen from `journal`, into a world.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn load_needs(
        &self,
        journal: Uuid,
        mut needs: BTreeSet<Need>,
        world: &mut World,
    ) -> Result<(), StoreError> {
        needs.retain(|need| !world.has(*need));
        if needs.is_empty() {
            return Ok(());
        }
        let needs: Vec<Need> = needs.into_iter().collect();
        let mut reader = self.pool().reader().await?;
        load(&mut reader.engine(), journal, &needs, world).await
    }

    /// The calendar of working days that decisions use.
    pub fn working_days(&self) -> &WorkingDayCalendar {
        self.calendar()
    }

    /// What is known of somebody beside their rights, as of now.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn standing(&self, actor: &Actor) -> Result<Standing, StoreError> {
        let mut world = World::default();
        loop {
            let mut needs: BTreeSet<Need> = standing::needs(actor, &world).into_iter().collect();
            needs.retain(|need| !world.has(*need));
            if needs.is_empty() {
                break;
            }
            // Sheets lie in every cycle that the person was asked for.
            self.load_needs(REGISTRY, needs, &mut world).await?;
        }
        let sealed = if standing::works_for_the_bureau(actor) {
            self.sealed().await?
        } else {
            BTreeSet::new()
        };
        Ok(standing::of(actor, &world, sealed))
    }

    /// The open panels whose scores are kept from staff.
    async fn sealed(&self) -> Result<BTreeSet<Uuid>, StoreError> {
        let mut sql = Statement::new("SELECT id FROM state WHERE kind = ");
        sql.bind(Kind::Panel.name())
            .push(" AND label = ")
            .bind(panel::SEALED);
        sql.push(" AND stage = ").bind(panel::Stage::Open.name());
        let mut reader = self.pool().reader().await?;
        let rows: Vec<(Uuid,)> = sql.fetch_all(&mut reader.engine()).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Up to `limit` entries of a journal after `after`, in order.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn journal(
        &self,
        journal: Uuid,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut reader = self.pool().reader().await?;
        entry::page(&mut reader.engine(), journal, after, limit).await
    }

    /// Every entry of a journal, as a verification file is made from it.
    ///
    /// # Errors
    ///
    /// Where the database fails, or an entry is not what was written.
    pub async fn sources(&self, journal: Uuid) -> Result<Vec<Source>, StoreError> {
        let mut reader = self.pool().reader().await?;
        let mut sources = Vec::new();
        let mut after = 0;
        loop {
            let page = entry::page(&mut reader.engine(), journal, after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(sources);
            };
            after = last.seq;
            for entry in page {
                let content = entry.content().map_err(|reason| StoreError::Corrupt {
                    what: format!("entry {}", entry.seq),
                    id: journal,
                    reason,
                })?;
                sources.push(Source {
                    salt: entry.salt,
                    content,
                    hash: entry.hash,
                });
            }
        }
    }

    /// Every entry of one record, in order.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn history(&self, id: Uuid) -> Result<Vec<Entry>, StoreError> {
        let mut sql = Statement::new("SELECT ");
        sql.push(entry::COLUMNS)
            .push(" FROM journal WHERE id = ")
            .bind(id)
            .push(" ORDER BY version");
        let mut reader = self.pool().reader().await?;
        Ok(sql.fetch_all(&mut reader.engine()).await?)
    }

    /// Every journal that has entries, with how many.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn journals(&self) -> Result<BTreeMap<Uuid, i64>, StoreError> {
        let mut reader = self.pool().reader().await?;
        let rows = fetch_all!(
            &mut reader.engine(),
            (Uuid, i64),
            "SELECT journal, seq FROM journal_head WHERE seq > 0"
        )?;
        Ok(rows.into_iter().collect())
    }
}

fn policy_of(world: &World, journal: Uuid) -> Option<Need> {
    let cycle = world.get::<fundcycle_core::cycle::Cycle>(journal)?;
    Some(Need::One(Kind::Policy, cycle.data.policy?))
}
