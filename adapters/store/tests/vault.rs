//! Personal data opens with its key and never again without it; credentials
//! are kept. The same on every store.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used)]

use commands::ports::{Erasure, Position, VaultError};
use domain::{
    id::SubjectId,
    sealed::{Party, Sealed},
};
use ringledger_store::{self as store, Stores, testing};
use sqlx::Connection as _;
use tempfile::TempDir;

/// One store of each kind, and the folder that goes with it.
async fn stores() -> Vec<(Stores, Option<TempDir>)> {
    let folder = TempDir::new().unwrap();
    let sqlite = store::open(&url(&folder)).await.unwrap();
    let memory = store::open("memory:").await.unwrap();
    let postgres = store::open(testing::database().await.url()).await.unwrap();
    vec![(memory, None), (sqlite, Some(folder)), (postgres, None)]
}

fn url(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().display())
}

/// Destroys every key that the subject has, as the record asks at that position.
async fn erase(stores: &Stores, subject: SubjectId, position: u64) {
    let keys_through = stores.vault.keys_through(subject).await.unwrap();
    let erasure = Erasure {
        subject,
        keys_through,
        position: Position(position),
    };
    stores.vault.shred(&erasure).await.unwrap();
}

fn party(user: &str) -> Party {
    Party {
        user: user.into(),
        host: Some("example.org".into()),
        display_name: Some("Zoë \"Z\" ☎".into()),
        contact: None,
        user_field: None,
    }
}

#[tokio::test]
async fn what_is_sealed_opens() {
    for (stores, _folder) in stores().await {
        for user in ["+1 555 010 9999", "alice", ""] {
            let sealed = stores.vault.seal(&party(user)).await.unwrap();
            assert_eq!(sealed.subject, stores.vault.subject_of(user));
            assert!(!sealed.data.contains(user) || user.is_empty());
            let opened = stores.vault.open(&sealed).await.unwrap();
            assert_eq!(opened, Some(party(user)));
        }
    }
}

#[tokio::test]
async fn an_erased_subject_is_gone_and_a_new_caller_of_that_number_is_not() {
    for (stores, _folder) in stores().await {
        let old = stores.vault.seal(&party("alice")).await.unwrap();
        let other = stores.vault.seal(&party("bob")).await.unwrap();
        erase(&stores, old.subject, 7).await;
        assert_eq!(stores.vault.open(&old).await.unwrap(), None);
        let opened = stores.vault.open(&other).await.unwrap();
        assert_eq!(opened, Some(party("bob")));

        let new = stores.vault.seal(&party("alice")).await.unwrap();
        assert_eq!(new.subject, old.subject);
        let opened = stores.vault.open(&new).await.unwrap();
        assert_eq!(opened, Some(party("alice")));
        assert_eq!(stores.vault.open(&old).await.unwrap(), None);
        // Erasing again, or somebody unknown, changes nothing for others.
        erase(&stores, new.subject, 7).await;
        assert_eq!(stores.vault.open(&new).await.unwrap(), None);
        let nobody = stores.vault.subject_of("nobody");
        erase(&stores, nobody, 7).await;
    }
}

#[tokio::test]
async fn an_erasure_that_comes_again_leaves_the_keys_that_were_made_since() {
    for (stores, _folder) in stores().await {
        let vault = &stores.vault;
        let old = vault.seal(&party("alice")).await.unwrap();
        assert_eq!(vault.keys_through(old.subject).await.unwrap(), 1);
        assert_eq!(vault.shredded().await.unwrap(), Position(0));
        let erasure = Erasure {
            subject: old.subject,
            keys_through: 1,
            position: Position(40),
        };
        vault.shred(&erasure).await.unwrap();
        let new = vault.seal(&party("alice")).await.unwrap();
        assert_eq!(vault.keys_through(old.subject).await.unwrap(), 2);
        // A replay of the record, and a record that was restored and went on
        // another way: the same place asks for another person.
        vault.shred(&erasure).await.unwrap();
        let bob = vault.seal(&party("bob")).await.unwrap();
        let other = Erasure {
            subject: bob.subject,
            ..erasure
        };
        vault.shred(&other).await.unwrap();
        assert_eq!(vault.open(&old).await.unwrap(), None);
        assert_eq!(vault.open(&new).await.unwrap(), Some(party("alice")));
        assert_eq!(vault.open(&bob).await.unwrap(), None);
        assert_eq!(vault.shredded().await.unwrap(), Position(40));
    }
}

#[tokio::test]
async fn what_was_changed_or_moved_to_another_subject_is_broken() {
    for (stores, _folder) in stores().await {
        let sealed = stores.vault.seal(&party("alice")).await.unwrap();
        let bob = stores.vault.seal(&party("bob")).await.unwrap();
        let moved = Sealed::new(bob.subject, sealed.data.clone());
        let cut = Sealed::new(sealed.subject, sealed.data[..40].to_owned());
        let nonsense = Sealed::new(sealed.subject, "☎".to_owned());
        for wrong in [moved, cut, nonsense] {
            let error = stores.vault.open(&wrong).await.unwrap_err();
            assert!(matches!(error, VaultError::Broken(_)), "{error}");
        }
    }
}

#[tokio::test]
async fn keys_and_names_of_subjects_survive_a_restart() {
    let folder = TempDir::new().unwrap();
    let database = testing::database().await;
    they_survive(&url(&folder)).await;
    they_survive(database.url()).await;
}

async fn they_survive(url: &str) {
    let first = store::open(url).await.unwrap();
    let kept = first.vault.seal(&party("alice")).await.unwrap();
    let erased = first.vault.seal(&party("bob")).await.unwrap();
    erase(&first, erased.subject, 7).await;
    first.secrets.put("ha1", "alice", "one").await.unwrap();
    drop(first);
    let second = store::open(url).await.unwrap();
    assert_eq!(second.vault.subject_of("Alice"), kept.subject);
    let opened = second.vault.open(&kept).await.unwrap();
    assert_eq!(opened, Some(party("alice")));
    assert_eq!(second.vault.open(&erased).await.unwrap(), None);
    let secret = second.secrets.get("ha1", "alice").await.unwrap();
    assert_eq!(secret.as_deref(), Some("one"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_new_subjects_at_once_get_one_key_each() {
    for (stores, _folder) in stores().await {
        let seals = (0..200).map(|number| {
            let vault = stores.vault.clone();
            tokio::spawn(async move {
                let party = party(&format!("{}", number % 50));
                (vault.seal(&party).await.unwrap(), party)
            })
        });
        for seal in seals.collect::<Vec<_>>() {
            let (sealed, party) = seal.await.unwrap();
            assert_eq!(stores.vault.open(&sealed).await.unwrap(), Some(party));
        }
    }
}

#[tokio::test]
async fn a_destroyed_key_is_in_no_file() {
    let folder = TempDir::new().unwrap();
    let stores = store::open(&url(&folder)).await.unwrap();
    let sealed = stores.vault.seal(&party("alice")).await.unwrap();
    // Keys stand in the order of their subjects, which is random: pages are
    // split again and again, and rows with the key move from one to another.
    for number in 0..600 {
        let other = party(&number.to_string());
        stores.vault.seal(&other).await.unwrap();
    }
    let db = rusqlite::Connection::open(folder.path().join("secrets.db")).unwrap();
    let key: Vec<u8> = db
        .query_row(
            "SELECT data_key FROM vault_keys WHERE subject = ?1",
            [sealed.subject.0.as_bytes()],
            |row| row.get(0),
        )
        .unwrap();
    drop(db);
    let in_files = || {
        std::fs::read_dir(folder.path()).unwrap().any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(key.len()).any(|part| part == key)
        })
    };
    assert!(in_files());
    erase(&stores, sealed.subject, 7).await;
    assert_eq!(stores.vault.open(&sealed).await.unwrap(), None);
    // One who reads the file meanwhile, as a backup of the keys does, holds only its
    // bytes back: neither the erasure, nor for long who needs a new key.
    let reader = rusqlite::Connection::open(folder.path().join("secrets.db")).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM vault_keys")
        .unwrap();
    let other = stores.vault.seal(&party("bob")).await.unwrap();
    erase(&stores, other.subject, 8).await;
    assert_eq!(stores.vault.open(&other).await.unwrap(), None);
    let (scrubbed, sealed) = tokio::join!(stores.vault.scrub(), async {
        let started = std::time::Instant::now();
        stores.vault.seal(&party("carol")).await.unwrap();
        started.elapsed()
    });
    assert!(
        matches!(scrubbed, Err(VaultError::Unavailable(_))),
        "{scrubbed:?}"
    );
    assert!(sealed < std::time::Duration::from_secs(5), "{sealed:?}");
    drop(reader);
    stores.vault.scrub().await.unwrap();
    assert!(!in_files());
}

#[tokio::test]
async fn keys_are_not_told_to_be_out_of_the_table_while_an_old_transaction_holds_them() {
    let database = testing::database().await;
    let stores = store::open(database.url()).await.unwrap();
    let sealed = stores.vault.seal(&party("alice")).await.unwrap();
    let mut old = sqlx::PgConnection::connect(database.url()).await.unwrap();
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM public.events";
    sqlx::raw_sql(begin).execute(&mut old).await.unwrap();
    erase(&stores, sealed.subject, 7).await;
    assert_eq!(stores.vault.open(&sealed).await.unwrap(), None);
    let scrubbed = stores.vault.scrub().await;
    assert!(
        matches!(scrubbed, Err(VaultError::Unavailable(_))),
        "{scrubbed:?}"
    );
    sqlx::raw_sql("ROLLBACK").execute(&mut old).await.unwrap();
    stores.vault.scrub().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_the_file_of_keys() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let _stores = store::open(&url(&folder)).await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with("secrets") {
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{:?}", entry.file_name());
        }
    }
}

#[tokio::test]
async fn credentials_are_replaced_listed_and_removed() {
    for (stores, _folder) in stores().await {
        let secrets = &stores.secrets;
        assert_eq!(secrets.get("ha1", "bob").await.unwrap(), None);
        secrets.put("ha1", "bob", "old").await.unwrap();
        secrets.put("ha1", "bob", "new").await.unwrap();
        secrets.put_new("ha1", "bob", "late").await.unwrap();
        secrets.put("ha1", "alice", "one").await.unwrap();
        secrets.put("token", "bob", "other").await.unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let listed = secrets.list("ha1").await.unwrap();
        assert_eq!(listed, [pair("alice", "one"), pair("bob", "new")]);
        secrets.remove("ha1", "bob").await.unwrap();
        secrets.remove("ha1", "nobody").await.unwrap();
        assert_eq!(secrets.list("ha1").await.unwrap(), [pair("alice", "one")]);
        let other = secrets.get("token", "bob").await.unwrap();
        assert_eq!(other.as_deref(), Some("other"));
    }
}

#[tokio::test]
async fn the_vault_shows_nothing_of_its_keys() {
    let vault = store::memory::vault();
    assert_eq!(format!("{vault:?}"), "KeyedVault { .. }");
    for (stores, _folder) in stores().await {
        let sealed = stores.vault.seal(&party("alice")).await.unwrap();
        assert_eq!(format!("{sealed:?}"), "{redacted}");
    }
}
