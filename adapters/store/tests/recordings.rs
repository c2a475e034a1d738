//! What callers have said is kept, and opens only with its key. The same on every store.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used)]

use commands::ports::{Erasure, Position, SealedSound};
use domain::{
    id::{SubjectId, VoicemailId},
    time::Timestamp,
};
use ringledger_store::{self as store, Stores, testing};
use tempfile::TempDir;
use uuid::Uuid;

const MESSAGE: VoicemailId = VoicemailId(Uuid::from_u128(1));
const OTHER: VoicemailId = VoicemailId(Uuid::from_u128(2));
const SUBJECT: SubjectId = SubjectId(Uuid::from_u128(3));

/// One store of each kind, and the folder that goes with it.
async fn stores() -> Vec<(Stores, Option<TempDir>)> {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let sqlite = store::open(&url).await.unwrap();
    let memory = store::open("memory:").await.unwrap();
    let postgres = store::open(testing::database().await.url()).await.unwrap();
    vec![(memory, None), (sqlite, Some(folder)), (postgres, None)]
}

/// Ten seconds of it.
fn sound() -> Vec<u8> {
    (0..80_000_u32).map(|n| (n % 251) as u8).collect()
}

const fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000 + second * 1_000_000)
}

#[tokio::test]
async fn a_recording_is_kept_until_it_is_taken_away() {
    for (stores, _folder) in stores().await {
        let kept = &stores.recordings;
        assert_eq!(kept.get(MESSAGE).await.unwrap(), None);
        let sealed = stores.vault.seal_bytes(SUBJECT, &sound()).await.unwrap();
        let subject = SUBJECT;
        let first = SealedSound { subject, sealed };
        let sealed = vec![1, 2, 3];
        let second = SealedSound { subject, sealed };
        kept.put(MESSAGE, at(1), first.clone()).await.unwrap();
        // Told again, it stays as it is.
        kept.put(MESSAGE, at(2), second.clone()).await.unwrap();
        kept.put(OTHER, at(5), second).await.unwrap();
        assert_eq!(kept.get(MESSAGE).await.unwrap(), Some(first));
        assert_eq!(kept.kept_before(at(5)).await.unwrap(), [MESSAGE]);
        kept.remove(MESSAGE).await.unwrap();
        kept.remove(MESSAGE).await.unwrap();
        assert_eq!(kept.get(MESSAGE).await.unwrap(), None);
        assert_eq!(kept.kept_before(at(6)).await.unwrap(), [OTHER]);
    }
}

#[tokio::test]
async fn sealed_bytes_open_unchanged_and_never_without_their_key() {
    for (stores, _folder) in stores().await {
        let vault = &stores.vault;
        let sealed = vault.seal_bytes(SUBJECT, &sound()).await.unwrap();
        let said = sound();
        assert!(!sealed.windows(16).any(|piece| *piece == said[..16]));
        let opened = vault.open_bytes(SUBJECT, &sealed).await.unwrap();
        assert_eq!(opened, Some(sound()));
        let mut changed = sealed.clone();
        changed[40] ^= 1;
        assert!(vault.open_bytes(SUBJECT, &changed).await.is_err());
        let keys_through = vault.keys_through(SUBJECT).await.unwrap();
        let erasure = Erasure {
            subject: SUBJECT,
            keys_through,
            position: Position(7),
        };
        vault.shred(&erasure).await.unwrap();
        assert_eq!(vault.open_bytes(SUBJECT, &sealed).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_copy_of_the_log_has_the_recordings() {
    let folder = TempDir::new().unwrap();
    let store = folder.path().join("store");
    let stores = store::open(&format!("sqlite:{}", store.display()))
        .await
        .unwrap();
    let sealed = stores.vault.seal_bytes(SUBJECT, &sound()).await.unwrap();
    let kept = SealedSound {
        subject: SUBJECT,
        sealed,
    };
    stores
        .recordings
        .put(MESSAGE, at(1), kept.clone())
        .await
        .unwrap();
    let [log, keys] = ["log", "keys"].map(|name| folder.path().join(name));
    store::sqlite::backup::backup(&store, &log, &keys, at(2)).unwrap();
    let back = folder.path().join("back");
    store::sqlite::backup::restore(&log, &keys, &back).unwrap();
    let stores = store::open(&format!("sqlite:{}", back.display()))
        .await
        .unwrap();
    let found = stores.recordings.get(MESSAGE).await.unwrap();
    assert_eq!(found, Some(kept.clone()));
    let opened = stores.vault.open_bytes(SUBJECT, &kept.sealed).await;
    assert_eq!(opened.unwrap(), Some(sound()));
}
