//! What a cycle publishes so that anyone can compute its results again.

use axum::http::{HeaderValue, Method, StatusCode, header};
use fundcycle_core::actor::Role;
use fundcycle_core::kinds::Kind;
use fundcycle_core::proof::note::Note;
use fundcycle_core::rejection::Text;
use fundcycle_core::verification::{self, Signed};
use fundcycle_core::world::{Need, World};
use uuid::Uuid;

use super::call::Call;
use super::kinds::id_in_path;
use super::operation::{Answered, Operation};
use super::record::json_response;
use super::schema::plain;
use crate::problem::{Code, Problem};
use crate::signing;

/// The operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/v1/cycles/{cycle}/verification",
            "verification",
            Text::new(
                "Everything needed to compute the results of a cycle again, without personal data; \
                 `fundcycle verify FILE` does it. It exists once the result is on public notice",
                "核验文件:据此可重新计算本届抽签、排名与遴选(不含个人信息;结果公示后提供)",
            ),
            file,
        )
        .roles([Role::Public])
        .parameters([id_in_path("cycle", "Which cycle.")])
        .gives(StatusCode::OK, "The file.", plain::<verification::Export>())
        .problems([Code::NotFound])
        .tag("verification"),
    ]
}

async fn file(call: Call) -> Answered {
    let cycle = call.cycle().await?;
    call.query.done()?;
    let store = &call.app.store;
    let mut world = World::default();
    store
        .load_needs(cycle, [Need::All(Kind::Notice)].into(), &mut world)
        .await?;
    if !verification::is_public(&world) {
        return Err(Problem::not_found());
    }
    // The head first: it is never over more entries than are read after it.
    let signed = signed(&call, cycle).await?;
    let export = verification::export(cycle, &store.sources(cycle).await?, signed);
    let mut response = json_response(StatusCode::OK, &export);
    response.headers_mut().insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"verification.json\""),
    );
    Ok(response)
}

/// The last published head of the cycle's journal, and the key that signed it.
async fn signed(call: &Call, cycle: Uuid) -> Result<Option<Signed>, Problem> {
    let store = &call.app.store;
    let Some(kept) = store.published_checkpoint(cycle, None).await? else {
        return Ok(None);
    };
    let note = Note::parse(&kept.note).map_err(|error| Problem::internal(&error))?;
    let found = signing::key_of(store, &note).await?;
    let (name, key) =
        found.ok_or_else(|| Problem::internal(&"a checkpoint is signed with an unknown key"))?;
    Ok(Some(Signed {
        checkpoint: kept.note,
        key: key.written(&name),
    }))
}
