//! The live board of a session: read once, or followed as a stream of events that goes on with its
//! journal.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::http::{Method, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use fundcycle_core::aggregate::Stored as _;
use fundcycle_core::board::{self, Board};
use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use fundcycle_core::pitch_session::PitchSession;
use fundcycle_core::rejection::Text;
use fundcycle_core::world::World;
use fundcycle_store::Store;
use futures_util::stream::unfold;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, watch};
use uuid::Uuid;

use super::call::Call;
use super::kinds::{behind, id_in_path};
use super::operation::{Answered, Operation, Parameter, Place};
use super::record::json_response;
use super::schema::plain;
use crate::auth;
use crate::problem::{Code, Problem};

/// Time between two looks at what other instances have committed.
const LOOKED_EVERY: Duration = Duration::from_secs(2);
/// The media type of a stream of events.
const EVENTS: &str = "text/event-stream";

/// The operations.
pub(crate) fn operations() -> Vec<Operation> {
    let kind = Kind::PitchSession;
    let accept = Parameter {
        name: "Accept",
        place: Place::Header,
        required: false,
        schema: json!({"type": "string"}),
        summary: "`text/event-stream` follows the board: an event `board` now and after every change, with the \
                  number of the journal's entry as its id. Clocks run between two events: count from `now`.",
    };
    let mut operation = Operation::new(
        Method::GET,
        format!("/v1/{}/{{id}}/board", kind.plural()),
        format!("{}.board", kind.name()),
        Text::new(
            "The live board of a session: whose turn it is, its clock, what is missing, and the scores \
             that the policy shows you",
            "路演场次实时看板:当前项目、计时、缺交评分表,以及规则允许查看的得分",
        ),
        answer,
    )
    .roles(behind(kind.sights().iter().map(|sight| sight.eye)))
    .parameters([id_in_path("id", "Of which session."), accept])
    .gives(StatusCode::OK, "The board.", plain::<Board>())
    .problems([Code::NotFound])
    .tag(kind.plural());
    operation.gives.also = vec![EVENTS];
    vec![operation]
}

async fn answer(call: Call) -> Answered {
    call.query.done()?;
    let (journal, board) = read(&call).await?;
    if !wants_events(&call) {
        return Ok(json_response(StatusCode::OK, &board));
    }
    let permit = call.app.streams.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Problem::new(Code::Overloaded))?;
    // Followed from before the first look, so that nothing falls between the two.
    let heads = call.app.store.heads();
    call.app.store.look_for_commits().await?;
    Ok(follow(Followed {
        ended: call.app.ended.clone(),
        call,
        journal,
        heads,
        seen: None,
        shown: None,
        _permit: permit,
    }))
}

fn wants_events(call: &Call) -> bool {
    let accepted = call.headers.get(header::ACCEPT);
    let accepted = accepted.and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|range| {
        let name = range.split(';').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(EVENTS)
    })
}

/// The journal of the session, and the board as the caller sees it now.
async fn read(call: &Call) -> Result<(Uuid, Board), Problem> {
    let state = call.visible(Kind::PitchSession, call.id("id")?).await?;
    let session = PitchSession::of(&state).ok_or_else(Problem::not_found)?;
    let mut world = World::default();
    loop {
        let missing = board::missing(session, &world);
        if missing.is_empty() {
            break;
        }
        let store = &call.app.store;
        store
            .load_needs(session.journal, missing.into_iter().collect(), &mut world)
            .await?;
    }
    let now = call.app.clock.now();
    let board = board::board(&call.viewer, &state, &world, now).ok_or_else(Problem::not_found)?;
    Ok((session.journal, board))
}

/// The board now and after every change, until the caller may not see it any more, the service ends or
/// nobody reads.
fn follow(followed: Followed) -> Response {
    let events = unfold(followed, |mut followed| async move {
        let event = followed.next().await?;
        Some((Ok::<_, Infallible>(event), followed))
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

struct Followed {
    call: Call,
    journal: Uuid,
    heads: watch::Receiver<BTreeMap<Uuid, i64>>,
    ended: watch::Receiver<bool>,
    /// The entry that was looked at last; none before the first look.
    seen: Option<i64>,
    /// What was shown last, apart from the time.
    shown: Option<Board>,
    _permit: OwnedSemaphorePermit,
}

impl Followed {
    async fn next(&mut self) -> Option<Event> {
        loop {
            let head = self.grown().await?;
            // Rights may have changed, or the token may have run out.
            let session = auth::authenticate(&self.call.app, &self.call.headers)
                .await
                .ok()?;
            self.call.viewer = session.viewer;
            let (_, board) = read(&self.call).await.ok()?;
            let still = Some(board.without_time());
            if self.shown == still {
                continue;
            }
            let event = Event::default().event("board").id(head.to_string());
            let event = event.json_data(&board).ok()?;
            self.shown = still;
            return Some(event);
        }
    }

    /// Waits until the journal has grown since the last look; none once the service ends.
    async fn grown(&mut self) -> Option<i64> {
        loop {
            if *self.ended.borrow() {
                return None;
            }
            let known = self.heads.borrow_and_update().get(&self.journal).copied();
            let head = known.unwrap_or_default();
            if self.seen.is_none_or(|seen| seen < head) {
                self.seen = Some(head);
                return Some(head);
            }
            tokio::select! {
                changed = self.heads.changed() => changed.ok()?,
                ended = self.ended.changed() => ended.ok()?,
            }
        }
    }
}

/// Looks for what other instances have committed, again and again, until the task is dropped.
pub(crate) async fn look_elsewhere(store: Store) {
    let mut ticks = tokio::time::interval(LOOKED_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = store.look_for_commits().await {
            tracing::warn!(%error, "what others committed could not be looked for; trying again");
        }
    }
}
