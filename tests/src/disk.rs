//! The disk that `tests/shim/machine.c` watches: what of a folder survives when
//! the power goes.

use crate::{luck::Luck, machine::shim};
use anyhow::{Context as _, ensure};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// What a disk writes at once.
const BLOCK: usize = 4_096;

/// The disk under a folder.
pub struct Disk {
    root: PathBuf,
    image: PathBuf,
    /// Lines of the journal before anybody has synced anything.
    before: usize,
    _kept: tempfile::TempDir,
}

/// As the shim numbers a file.
fn number(path: &Path) -> anyhow::Result<String> {
    let about = fs::symlink_metadata(path)?;
    let born = about.created()?.duration_since(UNIX_EPOCH)?.as_nanos();
    let kind = if about.is_dir() { 'd' } else { 'f' };
    Ok(format!("{kind}{}-{born}", about.ino()))
}

/// Everything below a folder, folders before what is in them.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        found.push(path.clone());
        if entry.file_type()?.is_dir() {
            walk(&path, found)?;
        }
    }
    Ok(())
}

impl Disk {
    /// What the folder holds now is on the disk.
    ///
    /// # Errors
    /// When it can not be copied.
    pub fn under(root: &Path) -> anyhow::Result<Self> {
        let kept = tempfile::Builder::new()
            .prefix("ringledger-image-")
            .tempdir()?;
        let image = kept.path().to_owned();
        fs::create_dir(image.join("i"))?;
        for folder in [image.clone(), image.join("i")] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?;
        }
        let mut paths = vec![];
        walk(root, &mut paths)?;
        let mut journal = String::new();
        for path in paths {
            let inode = number(&path)?;
            if path.is_file() {
                let copy = image.join("i").join(&inode);
                fs::copy(&path, &copy)?;
                fs::set_permissions(copy, fs::Permissions::from_mode(0o666))?;
            }
            let below = path.strip_prefix(root)?.display();
            journal.push_str(&format!("E {inode} /{below}\n"));
        }
        let file = image.join("journal");
        let before = journal.lines().count();
        fs::write(&file, journal)?;
        fs::set_permissions(file, fs::Permissions::from_mode(0o666))?;
        Ok(Self {
            root: root.to_owned(),
            image,
            before,
            _kept: kept,
        })
    }

    /// What a process on this disk is started with.
    ///
    /// # Errors
    /// When the shim does not compile.
    pub fn environment(&self) -> anyhow::Result<Vec<(String, String)>> {
        Ok(vec![
            ("LD_PRELOAD".into(), shim()?.display().to_string()),
            ("CUT_ROOT".into(), self.root.display().to_string()),
            ("CUT_IMAGE".into(), self.image.display().to_string()),
        ])
    }

    /// The power goes: no write reaches the disk from now on.
    ///
    /// # Errors
    /// When the image can not be written.
    pub fn cut(&self) -> anyhow::Result<()> {
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.image.join("lock"))?;
        fs::set_permissions(self.image.join("lock"), fs::Permissions::from_mode(0o666))?;
        lock.lock()?;
        File::create(self.image.join("cut"))?;
        Ok(())
    }

    /// Names and files that were made durable.
    ///
    /// # Errors
    /// When the journal can not be read.
    pub fn syncs(&self) -> anyhow::Result<usize> {
        let journal = fs::read_to_string(self.image.join("journal"))?;
        Ok(journal.lines().count().saturating_sub(self.before))
    }

    /// The folder as it is found when the power is back. Nobody uses it. With
    /// `luck`, some blocks that were written and not synced have survived too.
    ///
    /// # Errors
    /// When nothing was ever durable, or a file can not be written.
    pub fn restore(self, luck: Option<&mut Luck>) -> anyhow::Result<()> {
        let names = self.names()?;
        ensure!(!names.is_empty(), "nothing was ever durable");
        let about = fs::metadata(&self.root)?;
        let back = self.root.with_extension("restored");
        fs::create_dir(&back)?;
        own(&back, &about)?;
        let mut luck = luck;
        for (name, inode) in &names {
            let (from, to) = (self.image.join("i").join(inode), back.join(&name[1..]));
            if inode.starts_with('d') {
                fs::create_dir_all(&to)?;
            } else if let Some(parent) = to.parent() {
                fs::create_dir_all(parent)?;
                match from.exists() {
                    true => drop(fs::copy(&from, &to)?),
                    false => drop(File::create(&to)?),
                }
                let lost = self.root.join(&name[1..]);
                let same = number(&lost).is_ok_and(|number| number == *inode);
                if let (Some(luck), true) = (luck.as_deref_mut(), same) {
                    some_survives(&lost, &to, luck)?;
                }
            }
            own(&to, &about)?;
        }
        fs::remove_dir_all(&self.root)?;
        fs::rename(&back, &self.root)?;
        Ok(())
    }

    /// Path below the root to number, as the journal leaves it.
    fn names(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut names = BTreeMap::<String, String>::new();
        for line in fs::read_to_string(self.image.join("journal"))?.lines() {
            if let Some(folder) = line.strip_prefix("D ") {
                let within = format!("{folder}/");
                names.retain(|name, _| {
                    let rest = name.strip_prefix(&within);
                    // Folders stay: a database makes them anew in any case.
                    rest.is_none_or(|rest| rest.contains('/') || is_folder(&self.root, name))
                });
            } else if let Some(entry) = line.strip_prefix("E ") {
                let (inode, name) = entry.split_once(' ').context("a journal of the shim")?;
                // The root itself has no name of its own.
                if name.len() > 1 {
                    names.insert(name.to_owned(), inode.to_owned());
                }
            }
        }
        Ok(names)
    }
}

fn is_folder(root: &Path, name: &str) -> bool {
    root.join(&name[1..]).is_dir()
}

fn own(path: &Path, as_of: &fs::Metadata) -> anyhow::Result<()> {
    chown(path, Some(as_of.uid()), Some(as_of.gid()))?;
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// A disk may have written more than it was asked to make sure of: any block.
fn some_survives(lost: &Path, kept: &Path, luck: &mut Luck) -> anyhow::Result<()> {
    let (now, durable) = (fs::read(lost)?, fs::read(kept)?);
    let file = File::options().write(true).open(kept)?;
    for (number, block) in now.chunks(BLOCK).enumerate() {
        let at = number * BLOCK;
        let end = durable.len().min(at + block.len());
        if durable.get(at..end) != Some(block) && luck.below(2) == 0 {
            file.write_all_at(block, at as u64)?;
        }
    }
    Ok(())
}
