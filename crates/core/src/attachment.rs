//! A file of an application, or the papers of an objection. The service measures it while it streams
//! in; its bytes lie in the object store under its id.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Belongs, Decided, Gate, Index, Move, Record};
use crate::application::{self, Application};
use crate::context::Context;
use crate::kinds::Kind;
use crate::objection::Objection;
use crate::rejection::{Fault, Rejection};
use crate::text::check_name;
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

names! {
    /// Whether the file counts.
    pub enum Stage {
        /// Completely stored.
        Stored = "stored" "已上传",
        /// Taken off by the applicant.
        Removed = "removed" "已移除",
    }
}

commands! {
    /// Add a file that has just been stored.
    Upload = "upload" "上传附件" {
        /// The application it belongs to.
        application: Uuid,
        /// Its name, as the applicant called it.
        name: String,
        /// Its type, found from its content.
        media_type: String,
        /// Its length in bytes.
        size: u64,
        /// SHA-256 of its bytes, in hex.
        sha256: String,
    }
    /// Keep a paper that came with an objection, the sealed or signed writing first (`domain.md` §2.9).
    Keep = "keep" "留存异议材料" {
        /// The objection it belongs to.
        objection: Uuid,
        /// Its name, as whoever objects called it.
        name: String,
        /// Its type, found from its content.
        media_type: String,
        /// Its length in bytes.
        size: u64,
        /// SHA-256 of its bytes, in hex.
        sha256: String,
    }
    /// Take it off.
    Remove = "remove" "移除附件" {}
}

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// The application it belongs to.
    pub application: Option<Uuid>,
    /// The objection it came with; then it is of no organisation, and only the bureau sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objection: Option<Uuid>,
    /// Whose application that is.
    pub organisation: Option<Uuid>,
    /// Its name, as the applicant called it.
    pub name: String,
    /// Its type, found from its content.
    pub media_type: String,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

/// What happened to a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was stored.
    Uploaded {
        /// Everything known of it.
        file: Attachment,
    },
    /// It was taken off; its bytes stay, because a submission may have carried them.
    Removed {},
}

/// The most papers that one objection takes.
const MOST_PAPERS: u32 = 20;

const OWNER_OPEN: Gate<Attachment> = Gate::<Attachment>::new(
    "editable",
    "the application cannot be changed now",
    "申报目前不可修改",
    |file, cx| {
        file.data
            .application
            .and_then(|id| cx.world.get::<Application>(id))
            .is_some_and(takes_files)
    },
)
.looking_at(|file| {
    file.data
        .application
        .map(|id| Need::One(Kind::Application, id))
        .into_iter()
        .collect()
});

fn takes_files(application: &Record<Application>) -> bool {
    match application.stage {
        application::Stage::Draft => true,
        application::Stage::Returned => application
            .data
            .correction
            .iter()
            .flat_map(|correction| &correction.items)
            .any(|item| item.field == "attachments"),
        _ => false,
    }
}

impl Aggregate for Attachment {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Attachment;
    const FIRST: Stage = Stage::Stored;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = &[
        Move { from: &[], verb: Verb::Upload, to: Some(Stage::Stored), by: &[Role::Applicant], gates: &[] },
        Move { from: &[], verb: Verb::Keep, to: Some(Stage::Stored), by: &[Role::Staff], gates: &[] },
        Move { from: &[Stage::Stored], verb: Verb::Remove, to: Some(Stage::Removed), by: &[Role::Applicant], gates: &[OWNER_OPEN] },
    ];
    const SIGHTS: &'static [Sight] = &[
        Sight {
            eye: Eye::Applicant,
            stages: &[],
        },
        Sight {
            eye: Eye::Expert,
            stages: &["stored"],
        },
        Sight {
            eye: Eye::Staff,
            stages: &[],
        },
    ];
    const FIELDS: &'static [Field] = &[
        Field {
            name: "application",
            eyes: &[Eye::Applicant, Eye::Expert],
        },
        Field {
            name: "name",
            eyes: &[Eye::Applicant, Eye::Expert],
        },
        Field {
            name: "media_type",
            eyes: &[Eye::Applicant, Eye::Expert],
        },
        Field {
            name: "size",
            eyes: &[Eye::Applicant, Eye::Expert],
        },
        Field {
            name: "sha256",
            eyes: &[Eye::Applicant, Eye::Expert],
        },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Parent, "application"), (Column::Label, "name")];
    // The name and the bytes may say who applies, and the hash finds the bytes elsewhere.
    const IDENTIFIES: &'static [&'static str] = &["name", "sha256", "size"];

    fn index(&self) -> Index {
        Index {
            parent: self.application.or(self.objection),
            organisation: self.organisation,
            label: Some(self.name.clone()),
            ..Index::default()
        }
    }

    fn belongs(command: &Command, world: &World) -> Belongs {
        match command {
            Command::Upload { application, .. } => Belongs {
                organisation: world
                    .get::<Application>(*application)
                    .and_then(|one| one.data.organisation),
                person: None,
            },
            Command::Keep { .. } | Command::Remove {} => Belongs::default(),
        }
    }

    fn needs(_record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        match command {
            Command::Upload { application, .. } => {
                vec![
                    Need::One(Kind::Application, *application),
                    Need::PartsOf(Kind::Attachment, *application),
                ]
            }
            Command::Keep { objection, .. } => {
                vec![
                    Need::One(Kind::Objection, *objection),
                    Need::PartsOf(Kind::Attachment, *objection),
                ]
            }
            Command::Remove {} => Vec::new(),
        }
    }

    fn decide(
        _record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        let file = match command {
            Command::Remove {} => return Ok(Decided::only(Event::Removed {})),
            Command::Upload {
                application,
                name,
                media_type,
                size,
                sha256,
            } => {
                let owner = cx
                    .world
                    .get::<Application>(application)
                    .ok_or(Rejection::NotFound)?;
                let closed = Fault::new(
                    "",
                    "not_editable",
                    "The application cannot be changed now.",
                    "申报目前不可修改。",
                );
                let most = cx.require_policy()?.application.attachments_max;
                let shut = (!takes_files(owner)).then_some(closed);
                taken(application, &name, most, shut, cx)?;
                Self {
                    application: Some(application),
                    objection: None,
                    organisation: owner.data.organisation,
                    name,
                    media_type,
                    size,
                    sha256,
                }
            }
            Command::Keep {
                objection,
                name,
                media_type,
                size,
                sha256,
            } => {
                let stage = cx
                    .world
                    .get::<Objection>(objection)
                    .ok_or(Rejection::NotFound)?
                    .stage;
                let closed = Fault::new(
                    "",
                    "ruled_on",
                    "The objection has come to its end: it takes no more papers.",
                    "该异议已办结,不再接收材料。",
                );
                let shut = (!stage.is_open()).then_some(closed);
                taken(objection, &name, MOST_PAPERS, shut, cx)?;
                Self {
                    application: None,
                    objection: Some(objection),
                    organisation: None,
                    name,
                    media_type,
                    size,
                    sha256,
                }
            }
        };
        Ok(Decided::only(Event::Uploaded { file }))
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        if let Event::Uploaded { file } = event {
            *self = file.clone();
        }
    }
}

/// Refuses a file whose owner is shut, whose name is none, or that is one too many.
fn taken(
    owner: Uuid,
    name: &str,
    most: u32,
    shut: Option<Fault>,
    cx: &Context<'_>,
) -> Result<(), Rejection> {
    let mut faults = Vec::from_iter(shut);
    if let Err(errors) = check_name(name, 200) {
        faults.extend(errors.into_iter().map(|error| {
            Fault::new(
                "/name",
                "name",
                error.to_string(),
                format!("文件名有误:{error}"),
            )
        }));
    }
    let present = cx
        .world
        .parts_of::<Attachment>(owner)
        .filter(|file| file.stage == Stage::Stored)
        .count();
    if present >= usize::try_from(most).unwrap_or(usize::MAX) {
        faults.push(Fault::new(
            "",
            "too_many",
            format!("At most {most} files."),
            format!("最多 {most} 个附件。"),
        ));
    }
    Rejection::unless_empty(faults)
}
