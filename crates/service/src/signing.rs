//! Signing the journals: the key in its file, and checkpoints that extend what was signed before.

mod file;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use fundcycle_core::actor::Actor;
use fundcycle_core::aggregate::{REGISTRY, Record};
use fundcycle_core::engine::Request;
use fundcycle_core::kinds::{Command, Kind};
use fundcycle_core::proof::Digest;
use fundcycle_core::proof::checkpoint::Checkpoint;
use fundcycle_core::proof::note::{Note, PublicKey, SecretKey};
use fundcycle_core::proof::path::Head;
use fundcycle_core::signing_key::{self, SigningKey, Stage};
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::Viewer;
use fundcycle_core::world::{Need, World};
use fundcycle_store::checkpoint::Checkpoint as Kept;
use fundcycle_store::submission::{Precondition, Submission};
use fundcycle_store::{ExecuteError, Store, StoreError};
use uuid::Uuid;

/// Time after which a journal that has grown is signed again, in milliseconds.
const DAILY: i64 = 24 * 60 * 60 * 1000;

/// Why nothing is signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningError {
    /// The file cannot be read or written.
    #[error("the signing key file {} cannot be used: {reason}; name another with --signing-key", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The record names a key, and the file has none or another one.
    #[error(
        "the record is signed with the key {recorded}, and {} has {found}: put the file with that key there, on every instance; if it is lost for good, run `fundcycle journal key rotate --lost REASON`",
        path.display()
    )]
    OtherKey {
        /// Which file.
        path: PathBuf,
        /// The fingerprint on record.
        recorded: Digest,
        /// What the file has.
        found: String,
    },
    /// The record names no key yet.
    #[error("this record has no signing key yet: it gets one when it is first served")]
    NoKey,
    /// The journal is not the one that was signed before.
    #[error(
        "journal {journal} is not signed: it does not begin with the {size} entries that were signed before; run `fundcycle journal verify`"
    )]
    Forked {
        /// Which journal.
        journal: Uuid,
        /// How many entries were signed.
        size: u64,
    },
    /// The key could not be put on record.
    #[error("the signing key could not be put on record: {0}")]
    NotRecorded(#[from] ExecuteError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The keys on record.
pub(crate) struct Recorded {
    /// The first of all: it names the journals.
    pub first: PublicKey,
    /// The one that signs, with its record.
    pub current: (Uuid, PublicKey),
    /// All, in no particular order.
    pub all: Vec<Record<SigningKey>>,
}

impl Recorded {
    /// Every key that ever signed.
    pub(crate) fn keys(&self) -> Vec<PublicKey> {
        let keys = self.all.iter();
        keys.filter_map(|one| signing_key::parse(&one.data.public_key))
            .collect()
    }
}

/// The keys that the registry has; none before the first.
///
/// # Errors
///
/// Where the database fails.
pub(crate) async fn recorded(store: &Store) -> Result<Option<Recorded>, StoreError> {
    let mut world = World::default();
    let needs = [Need::All(Kind::SigningKey)].into();
    store.load_needs(REGISTRY, needs, &mut world).await?;
    let all: Vec<Record<SigningKey>> = world.all::<SigningKey>().cloned().collect();
    let key = |record: &Record<SigningKey>| signing_key::parse(&record.data.public_key);
    let first = all
        .iter()
        .find(|one| one.data.predecessor.is_none())
        .and_then(key);
    let current = all
        .iter()
        .find(|one| one.stage == Stage::Current)
        .and_then(|one| Some((one.id, key(one)?)));
    Ok(first.zip(current).map(|(first, current)| Recorded {
        first,
        current,
        all,
    }))
}

/// The key on record that signed a note, and in which name; none where it is not on record.
///
/// # Errors
///
/// Where the database fails.
pub(crate) async fn key_of(
    store: &Store,
    note: &Note,
) -> Result<Option<(String, PublicKey)>, StoreError> {
    let on_record = recorded(store).await?;
    let keys = on_record.into_iter().flat_map(|on_record| on_record.keys());
    Ok(keys
        .flat_map(|key| note.signatures.iter().map(move |one| (key, one)))
        .find(|(key, one)| one.key_id == key.key_id(&one.name))
        .map(|(key, one)| (one.name.clone(), key)))
}

/// Who signs. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    store: Store,
    path: Arc<PathBuf>,
    key: Arc<RwLock<SecretKey>>,
}

impl Signer {
    /// The signer with the key in `path`. Where the record has no key yet, one is made, kept there
    /// and put on record.
    ///
    /// # Errors
    ///
    /// [`SigningError`] where file and record do not belong together.
    pub(crate) async fn begin(
        store: &Store,
        path: &Path,
        now: Timestamp,
    ) -> Result<Self, SigningError> {
        let key = if recorded(store).await?.is_some() {
            current(store, path).await?
        } else {
            let key = match file::read(path)? {
                Some(key) => key,
                None => file::make(path)?,
            };
            introduce(store, &key, None, now).await?;
            key
        };
        Ok(Self {
            store: store.clone(),
            path: Arc::new(path.to_owned()),
            key: Arc::new(RwLock::new(key)),
        })
    }

    /// The signer of a record that has a key, for commands.
    ///
    /// # Errors
    ///
    /// [`SigningError`] where file and record do not belong together.
    pub(crate) async fn existing(store: &Store, path: &Path) -> Result<Self, SigningError> {
        let key = current(store, path).await?;
        Ok(Self {
            store: store.clone(),
            path: Arc::new(path.to_owned()),
            key: Arc::new(RwLock::new(key)),
        })
    }

    /// The key that is current by the record, read from its file again where it has changed.
    async fn key(&self) -> Result<(SecretKey, Recorded), SigningError> {
        let on_record = recorded(&self.store).await?.ok_or(SigningError::NoKey)?;
        let held = self
            .key
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if held.public() == on_record.current.1 {
            return Ok((held, on_record));
        }
        let key = current(&self.store, &self.path).await?;
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key.clone();
        Ok((key, on_record))
    }

    /// Signs the journal as it is now, and keeps what it signed. Signs nothing that does not begin
    /// with what was signed before.
    ///
    /// # Errors
    ///
    /// [`SigningError`]; `Ok(None)` where nothing is recorded.
    pub(crate) async fn sign(
        &self,
        journal: Uuid,
        published: bool,
        now: Timestamp,
    ) -> Result<Option<Kept>, SigningError> {
        let Some(head) = self.store.tree(journal).await? else {
            return Ok(None);
        };
        let (key, on_record) = self.key().await?;
        if let Some(last) = self.store.last_checkpoint(journal).await? {
            let signed = Note::parse(&last.note)
                .ok()
                .and_then(|note| Checkpoint::of(&note).ok())
                .map(|checkpoint| checkpoint.head);
            let size = u64::try_from(last.size).unwrap_or_default();
            let forked = SigningError::Forked { journal, size };
            match signed {
                Some(before) if before.size == size && self.begins(journal, before).await? => {}
                _ => return Err(forked),
            }
            if size == head.size && (last.published || !published) {
                return Ok(Some(last));
            }
            // Somebody else signed a longer one meanwhile: that one serves as well.
            if size > head.size {
                return Ok(Some(last));
            }
        }
        let origin = signing_key::origin(on_record.first, journal);
        let kept = Kept {
            journal,
            size: i64::try_from(head.size).unwrap_or(i64::MAX),
            at: now.0,
            published,
            note: Checkpoint { origin, head }.sign(&key).to_string(),
        };
        self.store.keep_checkpoint(&kept).await?;
        Ok(Some(kept))
    }

    /// Whether the journal begins with a tree that was signed.
    async fn begins(&self, journal: Uuid, head: Head) -> Result<bool, StoreError> {
        let root = self.store.root_at(journal, head.size).await?;
        Ok(root == Some(head.root))
    }

    /// Signs and publishes what is due: each journal at first, when its cycle has moved, and a day
    /// after the last time. A journal that cannot be signed is named in the log and keeps no other
    /// from being signed.
    pub(crate) async fn publish_due(&self, now: Timestamp) {
        let signed = match self.store.signed().await {
            Ok(signed) => signed,
            Err(error) => {
                tracing::error!(%error, "which journals are to be signed could not be looked for");
                return;
            }
        };
        for one in signed {
            let due = one.size == 0
                || one.moved > one.size
                || (one.seq > one.size && now.0.saturating_sub(one.at) >= DAILY);
            if due && let Err(error) = self.sign(one.journal, true, now).await {
                tracing::error!(%error, journal = %one.journal, "a journal was not signed");
            }
        }
    }
}

/// The secret key that is current by the record.
async fn current(store: &Store, path: &Path) -> Result<SecretKey, SigningError> {
    let on_record = recorded(store).await?.ok_or(SigningError::NoKey)?;
    let (_, public) = on_record.current;
    let found = file::read(path)?;
    if let Some(key) = found.as_ref().filter(|key| key.public() == public) {
        return Ok(key.clone());
    }
    // A rotation that was recorded and broke off before the file was in its place.
    if let Some(key) = file::read(&file::next(path))?.filter(|key| key.public() == public) {
        file::take_over(path)?;
        return Ok(key);
    }
    Err(SigningError::OtherKey {
        path: path.to_owned(),
        recorded: public.fingerprint(),
        found: found.map_or_else(
            || "none".to_owned(),
            |key| key.public().fingerprint().to_string(),
        ),
    })
}

/// How one key follows another.
enum Before {
    /// The key before vouches for it.
    Vouches(SecretKey),
    /// It cannot, for this reason.
    Lost(Uuid, String),
}

async fn introduce(
    store: &Store,
    key: &SecretKey,
    before: Option<Before>,
    now: Timestamp,
) -> Result<(), ExecuteError> {
    let public = key.public();
    let (predecessor, endorsement, reason) = match before {
        None => (None, None, None),
        Some(Before::Vouches(before)) => (
            Some(signing_key::id_of(before.public())),
            Some(signing_key::endorse(&before, public)),
            None,
        ),
        Some(Before::Lost(before, reason)) => (Some(before), None, Some(reason)),
    };
    let command = signing_key::Command::Introduce {
        public_key: Digest(public.0).to_string(),
        predecessor,
        endorsement,
        reason,
    };
    let submission = Submission {
        command: Uuid::now_v7(),
        request: Request {
            journal: REGISTRY,
            id: signing_key::id_of(public),
            command: Command::SigningKey(command),
            viewer: Viewer::new(Actor::system()),
        },
        precondition: Precondition::Free,
        idempotency: None,
        credential: None,
        dry_run: false,
        now,
    };
    store.execute(submission).await.map(drop)
}

/// Makes a new key, puts it on record, vouched for by the one in `path`, and into its place. Where
/// that one is `lost`, the record says why nobody vouches.
///
/// # Errors
///
/// [`SigningError`]; then the key is as it was.
pub(crate) async fn rotate(
    store: &Store,
    path: &Path,
    lost: Option<String>,
    now: Timestamp,
) -> Result<PublicKey, SigningError> {
    let on_record = recorded(store).await?.ok_or(SigningError::NoKey)?;
    let before = match lost {
        Some(reason) => Before::Lost(on_record.current.0, reason),
        None => Before::Vouches(current(store, path).await?),
    };
    let next = file::next(path);
    file::discard(&next)?;
    let key = file::make(&next)?;
    if let Err(error) = introduce(store, &key, Some(before), now).await {
        // Else it may be on record, and the next start puts it in its place.
        if !matches!(error, ExecuteError::UnknownOutcome) {
            file::discard(&next)?;
        }
        return Err(error.into());
    }
    file::take_over(path)?;
    Ok(key.public())
}
