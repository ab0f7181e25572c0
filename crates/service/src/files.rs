//! The bytes of attachments: measured while they stream in, kept under the id of their record.

mod keeping;

use std::path::Path as FilePath;
use std::sync::Arc;

use axum::body::Body;
use axum::body::BodyDataStream;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::StreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::problem::Problem;

/// Bytes that are gathered before they are written.
const PART: usize = 5 * 1024 * 1024;
/// Bytes of the beginning that the type is found from.
const HEAD: usize = 64 * 1024;

/// Where files lie.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    store: Arc<dyn ObjectStore>,
}

/// A file that has come in and is not anybody's yet.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    path: Path,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Its first bytes.
    pub head: Vec<u8>,
}

/// Why a file did not come in.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It has more bytes than are taken.
    TooLarge,
    /// It broke off.
    BrokenOff,
    /// The store failed.
    Failed(object_store::Error),
}

impl From<object_store::Error> for Refused {
    fn from(error: object_store::Error) -> Self {
        Self::Failed(error)
    }
}

impl Files {
    /// Files in a folder, which is made if need be.
    ///
    /// # Errors
    ///
    /// Where the folder cannot be made or used.
    pub(crate) fn in_folder(folder: &FilePath) -> Result<Self, object_store::Error> {
        std::fs::create_dir_all(folder).map_err(|source| object_store::Error::Generic {
            store: "files",
            source: Box::new(source),
        })?;
        Ok(Self {
            store: Arc::new(
                // On the disk before anybody is told that it is kept.
                LocalFileSystem::new_with_prefix(folder)?
                    .with_automatic_cleanup(false)
                    .with_fsync(true),
            ),
        })
    }

    /// Takes in what is sent, at most `most` bytes of it; nothing of it is kept where that fails.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    pub(crate) async fn take_in(&self, body: Body, most: usize) -> Result<Incoming, Refused> {
        let path = Path::from_iter(["incoming".to_owned(), Uuid::new_v4().to_string()]);
        let mut upload = self.store.put_multipart(&path).await?;
        let mut measure = Measure::default();
        let streamed = stream(body.into_data_stream(), most, &mut measure, upload.as_mut()).await;
        let done = match streamed {
            Ok(()) => upload.complete().await.map(drop).map_err(Refused::from),
            Err(refused) => Err(refused),
        };
        if let Err(refused) = done {
            if let Err(error) = upload.abort().await {
                tracing::warn!(%error, "an upload that was refused could not be cleaned away");
            }
            return Err(refused);
        }
        let Measure { hash, size, head } = measure;
        Ok(Incoming {
            path,
            size,
            sha256: HEXLOWER.encode(&hash.finalize()),
            head,
        })
    }

    /// Gives an incoming file to the record `id`. The name holds the hash too, so that two uploads
    /// that ask for one identity cannot overwrite each other.
    ///
    /// # Errors
    ///
    /// Where the store fails.
    pub(crate) async fn keep(
        &self,
        incoming: &Incoming,
        id: Uuid,
    ) -> Result<(), object_store::Error> {
        self.store
            .rename(&incoming.path, &place(id, &incoming.sha256))
            .await
    }

    /// Throws away what nobody got.
    pub(crate) async fn discard(&self, incoming: &Incoming) {
        self.remove(&incoming.path).await;
    }

    /// Throws away the file of a record that did not come to be.
    pub(crate) async fn remove_kept(&self, id: Uuid, sha256: &str) {
        self.remove(&place(id, sha256)).await;
    }

    async fn remove(&self, path: &Path) {
        match self.store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => tracing::warn!(%error, %path, "an orphaned file was left behind"),
        }
    }

    /// The bytes of the file of record `id`, as they are read.
    ///
    /// # Errors
    ///
    /// A fault of ours where they are not there.
    pub(crate) async fn read(&self, id: Uuid, sha256: &str) -> Result<Body, Problem> {
        let found = self
            .store
            .get(&place(id, sha256))
            .await
            .map_err(|error| Problem::internal(&error))?;
        Ok(Body::from_stream(found.into_stream()))
    }
}

fn place(id: Uuid, sha256: &str) -> Path {
    Path::from(format!("{id}-{sha256}"))
}

#[derive(Default)]
struct Measure {
    hash: Sha256,
    size: u64,
    head: Vec<u8>,
}

impl Measure {
    fn take(&mut self, bytes: &Bytes) {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        let wanted = HEAD.saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(wanted));
    }
}

async fn stream(
    mut body: BodyDataStream,
    most: usize,
    measure: &mut Measure,
    upload: &mut dyn object_store::MultipartUpload,
) -> Result<(), Refused> {
    let mut part: Vec<Bytes> = Vec::new();
    let mut waiting = 0;
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|_| Refused::BrokenOff)?;
        measure.take(&bytes);
        if measure.size > most as u64 {
            return Err(Refused::TooLarge);
        }
        waiting += bytes.len();
        part.push(bytes);
        if waiting >= PART {
            upload
                .put_part(PutPayload::from_iter(std::mem::take(&mut part)))
                .await?;
            waiting = 0;
        }
    }
    if waiting > 0 {
        upload.put_part(PutPayload::from_iter(part)).await?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn files() -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::in_folder(folder.path()).unwrap();
        (folder, files)
    }

    fn left(folder: &FilePath) -> usize {
        let inside = |folder: &FilePath| {
            std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect::<Vec<_>>()
        };
        inside(folder)
            .into_iter()
            .flat_map(|path| {
                if path.is_dir() {
                    inside(&path)
                } else {
                    vec![path]
                }
            })
            .count()
    }

    #[tokio::test]
    async fn what_was_kept_reads_back_with_its_hash() {
        let (_folder, files) = files();
        let incoming = files.take_in(Body::from("公益创投"), 100).await.unwrap();
        assert_eq!(
            (incoming.size, incoming.head.as_slice()),
            (12, "公益创投".as_bytes())
        );
        let id = Uuid::new_v4();
        files.keep(&incoming, id).await.unwrap();
        let body = files.read(id, &incoming.sha256).await.unwrap();
        let bytes = axum::body::to_bytes(body, 100).await.unwrap();
        assert_eq!(bytes, "公益创投".as_bytes());
        assert_eq!(HEXLOWER.encode(&Sha256::digest(&bytes)), incoming.sha256);
    }

    #[tokio::test]
    async fn what_is_too_large_leaves_nothing_behind() {
        let (folder, files) = files();
        let refused = files.take_in(Body::from(vec![0; 101]), 100).await;
        assert!(matches!(refused, Err(Refused::TooLarge)));
        assert_eq!(left(folder.path()), 0);
        let incoming = files.take_in(Body::from(vec![0; 100]), 100).await.unwrap();
        files.discard(&incoming).await;
        assert_eq!(left(folder.path()), 0);
    }
}
