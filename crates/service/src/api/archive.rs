//! The archive of a project that has come to its end: one package with its records, documents, the list of
//! its files, and the entries of the journal that made it, each proven.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::IntoResponse as _;
use fundcycle_core::activity::Activity;
use fundcycle_core::aggregate::Stored;
use fundcycle_core::attachment::Attachment;
use fundcycle_core::change_request::ChangeRequest;
use fundcycle_core::evaluation::Evaluation;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::project::{self, Project};
use fundcycle_core::proof::Digest;
use fundcycle_core::proof::archive as kept;
use fundcycle_core::proof::entry::ProvenEntry;
use fundcycle_core::proof::note::Note;
use fundcycle_core::rejection::Text;
use fundcycle_core::report::Report;
use fundcycle_core::tranche::Tranche;
use fundcycle_core::visibility::Eye;
use fundcycle_core::visit::Visit;
use fundcycle_core::world::{Need, World};
use fundcycle_documents::{DOCUMENTS, Language, archive};
use fundcycle_store::entry::Entry;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::Call;
use super::disposition;
use super::documents::put_together;
use super::kinds::{behind, id_in_path};
use super::operation::{Answered, Operation};
use crate::problem::{Code, Problem};
use crate::signing;

/// What belongs to a project. Sheets are not among it: who scored is nobody's business any more.
const PARTS: [Kind; 6] = [
    Kind::Tranche,
    Kind::Report,
    Kind::Activity,
    Kind::Visit,
    Kind::ChangeRequest,
    Kind::Evaluation,
];

type Files = BTreeMap<String, Vec<u8>>;

/// The operations.
pub(crate) fn operations() -> Vec<Operation> {
    let mut operation = Operation::new(
        Method::GET,
        "/v1/projects/{id}/archive",
        "project.archive",
        Text::new(
            "The archive of a project that has ended: records, documents, list of files, and the proven entries of \
             the journal, as one ZIP",
            "项目:归档包(记录、文书、附件清单及事实记录条目与证明)",
        ),
        package,
    )
    .roles(behind([Eye::Staff]))
    .parameters([id_in_path("id", "Which project.")])
    .gives(
        StatusCode::OK,
        "The package; 404 until the project has ended. The same record gives the same bytes.",
        json!({"type": "string", "format": "binary"}),
    )
    .problems([Code::NotFound])
    .tag("projects");
    operation.gives.media_type = "application/zip";
    vec![operation]
}

async fn package(call: Call) -> Answered {
    call.query.done()?;
    let state = call.visible(Kind::Project, call.id("id")?).await?;
    let ended = Project::of(&state).filter(|one| project::ENDED.contains(&one.stage));
    let for_them = call.viewer.eyes(&state).contains(&Eye::Staff);
    let (Some(project), true) = (ended, for_them) else {
        return Err(Problem::not_found());
    };
    let name = format!("{}.zip", project.data.title);
    let mut about = Map::from_iter([
        ("fundcycle_archive".to_owned(), json!(kept::VERSION)),
        ("project".to_owned(), json!(project.id)),
        ("title".to_owned(), json!(project.data.title)),
        (
            "organisation_name".to_owned(),
            json!(project.data.organisation_name),
        ),
        ("stage".to_owned(), json!(state.stage())),
        ("cycle".to_owned(), json!(project.journal)),
    ]);
    let (records, world) = records(&call, project).await?;
    let mut files = Files::new();
    for record in &records {
        let path = kept::record_file(record.kind(), record.id());
        let record = seen(&call, record).ok_or_else(Problem::not_found)?;
        put(&mut files, path, &record)?;
    }
    put(
        &mut files,
        "attachments.json".to_owned(),
        &attachments(&records),
    )?;
    documents(&call, &records, &world, &mut files).await?;
    about.insert(
        "journal".to_owned(),
        entries(&call, &records, &mut files).await?,
    );
    let bytes = tokio::task::spawn_blocking(move || archive::pack(&files, about))
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error| Problem::internal(&error))?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/zip"),
    );
    if let Ok(saved) = HeaderValue::from_str(&disposition::saved(&name)) {
        headers.insert(header::CONTENT_DISPOSITION, saved);
    }
    Ok(response)
}

fn put(files: &mut Files, name: String, value: &impl serde::Serialize) -> Result<(), Problem> {
    let bytes = archive::lines(value).map_err(|error| Problem::internal(&error))?;
    files.insert(name, bytes);
    Ok(())
}

/// The project, what it came from and what belongs to it, as far as the reader sees it, in the order of kinds and
/// identities.
async fn records(
    call: &Call,
    project: &fundcycle_core::aggregate::Record<Project>,
) -> Result<(Vec<State>, World), Problem> {
    let data = &project.data;
    let parts = PARTS.map(|kind| Need::PartsOf(kind, project.id));
    let mut needs = BTreeSet::from(parts);
    needs.insert(Need::One(Kind::Project, project.id));
    needs.extend(data.award.map(|id| Need::One(Kind::Award, id)));
    if let Some(application) = data.application {
        needs.insert(Need::One(Kind::Application, application));
        needs.insert(Need::PartsOf(Kind::Attachment, application));
    }
    let mut world = World::default();
    let store = &call.app.store;
    store.load_needs(project.journal, needs, &mut world).await?;
    let application = data.application.unwrap_or_default();
    let own = [
        of::<Tranche>(&world, project.id),
        of::<Report>(&world, project.id),
        of::<Activity>(&world, project.id),
        of::<Visit>(&world, project.id),
        of::<ChangeRequest>(&world, project.id),
        of::<Evaluation>(&world, project.id),
        of::<Attachment>(&world, application),
    ]
    .concat();
    let ones = [
        (Kind::Project, Some(project.id)),
        (Kind::Award, data.award),
        (Kind::Application, data.application),
    ];
    let ones = ones
        .into_iter()
        .filter_map(|(kind, id)| world.state(kind, id?));
    let all = ones.cloned().chain(own);
    let mut records: Vec<State> = all
        .filter(|state| !call.viewer.eyes(state).is_empty())
        .collect();
    records.sort_by_key(|state| (state.kind(), state.id()));
    Ok((records, world))
}

fn of<A: Stored>(world: &World, parent: Uuid) -> Vec<State> {
    world
        .parts_of::<A>(parent)
        .filter_map(|one| world.state(A::KIND, one.id).cloned())
        .collect()
}

/// A record as its reader sees it, with how often and when it last changed.
fn seen(call: &Call, state: &State) -> Option<Map<String, Value>> {
    let mut view = call.viewer.view(state)?;
    view.insert("version".to_owned(), json!(state.version()));
    view.insert("created_at".to_owned(), json!(state.created_at()));
    view.insert("updated_at".to_owned(), json!(state.updated_at()));
    Some(view)
}

/// The files that the records speak of, by their SHA-256: those of the application, which the service keeps, and the
/// evidence of activities, which the organisation keeps.
fn attachments(records: &[State]) -> Value {
    let mut list = Vec::new();
    for state in records {
        match state {
            State::Attachment(one) => list.push(json!({
                "of": { "kind": Kind::Application, "id": one.data.application }, "attachment": one.id,
                "name": one.data.name, "media_type": one.data.media_type, "size": one.data.size,
                "sha256": one.data.sha256, "stage": one.stage, "kept_by": "service",
            })),
            State::Activity(one) => {
                let held = one.data.held.iter();
                list.extend(held.flat_map(|held| &held.evidence).map(|evidence| {
                    json!({
                        "of": { "kind": Kind::Activity, "id": one.id }, "name": evidence.name,
                        "evidence": evidence.kind, "sha256": evidence.sha256, "kept_by": "organisation",
                    })
                }));
            }
            _ => {}
        }
    }
    list.into()
}

/// Every document that there is of the records for this reader, in both languages.
async fn documents(
    call: &Call,
    records: &[State],
    world: &World,
    files: &mut Files,
) -> Result<(), Problem> {
    for document in DOCUMENTS {
        let Some(&format) = document.formats.first() else {
            continue;
        };
        for state in records.iter().filter(|state| state.kind() == document.kind) {
            for language in [Language::Zh, Language::En] {
                let paper = put_together(call, document, state, world.clone(), language).await?;
                let Some(paper) = paper else { continue };
                let bytes = paper
                    .write(format)
                    .map_err(|error| Problem::internal(&error))?;
                let (tag, ending) = (language.tag(), format.name());
                files.insert(format!("documents/{}.{tag}.{ending}", document.name), bytes);
            }
        }
    }
    Ok(())
}

/// The entries of the journal that made the records, each with its way to a signed head: the first one that was
/// signed with all of them, so that what is signed later changes nothing. Gives what the manifest says of them.
async fn entries(call: &Call, records: &[State], files: &mut Files) -> Result<Value, Problem> {
    let unfit = |reason: &dyn std::fmt::Display| Problem::internal(reason);
    let store = &call.app.store;
    let mut entries: Vec<Entry> = Vec::new();
    for record in records {
        entries.extend(store.history(record.id()).await?);
    }
    entries.sort_by_key(|entry| entry.seq);
    let last = entries
        .last()
        .ok_or_else(|| unfit(&"a record has no entry"))?;
    let (journal, seq) = (last.journal, last.seq);
    let signed = match store.first_checkpoint_of(journal, seq).await? {
        Some(kept) => kept,
        None => call
            .app
            .signer
            .sign(journal, false, call.app.clock.now())
            .await
            .map_err(|error| unfit(&error))?
            .ok_or_else(|| unfit(&"a journal is gone"))?,
    };
    let note = Note::parse(&signed.note).map_err(|error| unfit(&error))?;
    let (name, key) = signing::key_of(store, &note)
        .await?
        .ok_or_else(|| unfit(&"a checkpoint is signed with an unknown key"))?;
    let size = u64::try_from(signed.size).unwrap_or_default();
    for entry in &entries {
        let proven = proven(call, entry, size).await?;
        put(files, kept::entry_file(entry.seq), &proven)?;
    }
    files.insert(kept::CHECKPOINT.to_owned(), signed.note.into_bytes());
    files.insert(
        kept::KEY.to_owned(),
        format!("{}\n", key.written(&name)).into_bytes(),
    );
    Ok(json!({
        "id": journal, "entries": entries.len(), "last": seq, "signed_size": signed.size,
        "key_fingerprint": key.fingerprint(),
    }))
}

async fn proven(call: &Call, entry: &Entry, size: u64) -> Result<ProvenEntry, Problem> {
    let unfit = |reason: &dyn std::fmt::Display| Problem::internal(reason);
    let store = &call.app.store;
    let (entry, previous) = store
        .entry(entry.journal, entry.seq)
        .await?
        .ok_or_else(|| unfit(&"an entry is gone"))?;
    let seq = u64::try_from(entry.seq).unwrap_or_default();
    let path = store.inclusion(entry.journal, seq, size).await?;
    Ok(ProvenEntry {
        path: path.ok_or_else(|| unfit(&"an entry is not in its journal"))?,
        salt: Digest::from_bytes(&entry.salt).ok_or_else(|| unfit(&"an entry has no salt"))?,
        entry: entry.content().map_err(|error| unfit(&error))?,
        previous,
    })
}
