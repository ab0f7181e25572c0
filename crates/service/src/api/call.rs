//! A request on its way through a handler, with what is known of its sender.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::{HeaderMap, Method};
use fundcycle_core::actor::Role;
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::aggregate::{Record, Stored as _};
use fundcycle_core::cycle::Cycle;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::rejection::Rejection;
use fundcycle_core::visibility::Viewer;
use fundcycle_store::token::{Secret, Token};
use serde_json::Value;
use uuid::Uuid;

use super::body;
use super::operation::{Carries, Operation};
use super::query::Query;
use crate::app::App;
use crate::language::Language;
use crate::limits::Caller;
use crate::problem::{Code, Problem};

/// One request.
#[derive(Debug)]
pub(crate) struct Call {
    /// The service.
    pub app: App,
    /// What is asked.
    pub operation: Arc<Operation>,
    /// Who asks.
    pub viewer: Viewer,
    /// The token they came with.
    pub secret: Option<Secret>,
    /// What is known of it.
    pub token: Option<Token>,
    /// In which language they read.
    pub language: Language,
    /// From where.
    pub caller: Caller,
    /// Whether they speak from this very machine, not through a proxy.
    pub local: bool,
    /// How it is asked.
    pub method: Method,
    /// Where, without the query.
    pub address: String,
    /// The parameters of the path.
    pub path: BTreeMap<String, String>,
    /// The parameters of the query.
    pub query: Query,
    /// The headers.
    pub headers: HeaderMap,
    /// What is sent; taken once. Behind a lock only because a body cannot be shared and a call is.
    pub body: Mutex<Body>,
}

impl Call {
    /// The identity in the path. What is no identity names nothing that exists.
    ///
    /// # Errors
    ///
    /// 404.
    pub(crate) fn id(&self, name: &str) -> Result<Uuid, Problem> {
        let text = self.path.get(name).ok_or_else(Problem::not_found)?;
        Uuid::try_parse(text).map_err(|_| Problem::not_found())
    }

    /// The body; empty from the second time on.
    pub(crate) fn take_body(&mut self) -> Body {
        std::mem::take(self.body.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// The body as JSON, not checked yet.
    ///
    /// # Errors
    ///
    /// 400, 413, 415.
    pub(crate) async fn json(&mut self) -> Result<Value, Problem> {
        let sent = self.take_body();
        let bytes = body::read(&self.headers, sent, self.app.limits.body).await?;
        body::json(&self.headers, &bytes)
    }

    /// The body as JSON that fits the declared schema.
    ///
    /// # Errors
    ///
    /// 400, 413, 415, 422 with every fault.
    pub(crate) async fn checked_json<T: serde::de::DeserializeOwned>(
        &mut self,
    ) -> Result<T, Problem> {
        let body = self.json().await?;
        let faults = self.faults(&body);
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        serde_json::from_value(body).map_err(|error| {
            Problem::invalid(vec![fundcycle_core::rejection::Fault::new(
                "",
                "malformed",
                error.to_string(),
                format!("无法识别:{error}"),
            )])
        })
    }

    /// What in `body` does not fit the declared schema.
    pub(crate) fn faults(&self, body: &Value) -> Vec<fundcycle_core::rejection::Fault> {
        match &self.operation.carries {
            Carries::Json(schema) => schema.faults(body),
            Carries::Nothing | Carries::File => Vec::new(),
        }
    }

    /// The account that asks.
    ///
    /// # Errors
    ///
    /// 401 where nobody signed in.
    pub(crate) fn account(&self) -> Result<Uuid, Problem> {
        let account = self.viewer.actor.account;
        account.ok_or_else(|| Problem::new(Code::Unauthenticated))
    }

    /// The record, if the caller may see it.
    ///
    /// # Errors
    ///
    /// 404 where it does not exist, for them.
    pub(crate) async fn visible(&self, kind: Kind, id: Uuid) -> Result<State, Problem> {
        let state = self
            .app
            .store
            .read_one(Some(kind), id)
            .await?
            .ok_or_else(Problem::not_found)?;
        if self.viewer.eyes(&state).is_empty() {
            return Err(Problem::not_found());
        }
        Ok(state)
    }

    /// The cycle in the path, if the caller may see it.
    ///
    /// # Errors
    ///
    /// 404 where it does not exist, for them.
    pub(crate) async fn cycle(&self) -> Result<Uuid, Problem> {
        let state = self.visible(Kind::Cycle, self.id("cycle")?).await?;
        Cycle::of(&state)
            .map(|cycle: &Record<Cycle>| cycle.id)
            .ok_or_else(Problem::not_found)
    }

    /// Refuses who has none of the declared roles in `cycle` (none: in the installation).
    ///
    /// # Errors
    ///
    /// 403.
    pub(crate) fn require_role(&self, cycle: Option<Uuid>) -> Result<(), Problem> {
        // A nil cycle is one that no grant names, so that only grants for everywhere hold.
        let roles = self
            .viewer
            .actor
            .roles(Some(cycle.unwrap_or(REGISTRY)), None, None);
        self.require_one_of(&roles)
    }

    /// Refuses who has none of the declared roles among `roles`.
    ///
    /// # Errors
    ///
    /// 403.
    pub(crate) fn require_one_of(
        &self,
        roles: &std::collections::BTreeSet<Role>,
    ) -> Result<(), Problem> {
        if self.operation.roles.iter().any(|role| roles.contains(role)) {
            return Ok(());
        }
        let needed = self.operation.roles.clone();
        Err(Rejection::Forbidden {
            verb: self.operation.id.clone(),
            needed,
        }
        .into())
    }

    /// Whether the caller sees what staff see of all records of `kind` in `journal`; who has an
    /// interest in some of them does not.
    pub(crate) fn is_staff(&self, kind: Kind, journal: Uuid) -> bool {
        let everybody = journal == REGISTRY
            || self.viewer.standing.barred.is_empty()
            || self.viewer.reads_everything(journal);
        let eyes = self.viewer.general_eyes(journal);
        everybody
            && kind.sights().iter().any(|sight| {
                let all_seeing = !sight.eye.all_seeing().is_empty() && sight.stages.is_empty();
                all_seeing && eyes.contains(&sight.eye)
            })
    }

    /// The address of a record.
    pub(crate) fn address_of(kind: Kind, id: Uuid) -> String {
        format!("/v1/{}/{id}", kind.plural())
    }

    /// How the caller is known where their idempotency keys are kept.
    pub(crate) fn principal(&self) -> String {
        self.viewer.actor.name()
    }
}

/// The English and Chinese of a verb on a kind.
pub(crate) fn says(summary: &str, kind: Kind, zh: &str) -> fundcycle_core::rejection::Text {
    fundcycle_core::rejection::Text::new(summary, format!("{}:{zh}", kind.zh()))
}
