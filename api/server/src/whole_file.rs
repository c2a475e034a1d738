//! A file that is there whole or not at all: it is written beside its place, and the
//! one that was there stays until then.

use anyhow::Context as _;
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct WholeFile {
    path: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
}

impl WholeFile {
    /// Begins it.
    ///
    /// # Errors
    /// When nothing can be written beside its place.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let part = with_ending(path, ".part");
        let file = File::create(&part).with_context(|| part.display().to_string())?;
        Ok(Self {
            path: path.to_owned(),
            part,
            file: BufWriter::new(file),
        })
    }

    /// Puts it into its place.
    ///
    /// # Errors
    /// When it is not durable, or can not be moved there.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        std::fs::rename(&self.part, &self.path).with_context(|| self.path.display().to_string())
    }

    /// Puts it into its place, and what tells of it beside it: what is told beside a file
    /// is always of that file, whenever this ends. `about` is at `about_path`.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub(crate) fn finish_with(self, about_path: &Path, about: &str) -> anyhow::Result<()> {
        let mut beside = Self::create(about_path)?;
        beside.write_all(about.as_bytes())?;
        match std::fs::remove_file(about_path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| about_path.display().to_string());
            }
            Ok(()) | Err(_) => {}
        }
        self.finish()?;
        beside.finish()
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_file_that_is_not_finished_leaves_the_one_that_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("annex.csv");
        std::fs::write(&path, "good").unwrap();
        let mut half = WholeFile::create(&path).unwrap();
        half.write_all(b"half").unwrap();
        drop(half);
        assert_eq!(read(&path), "good");
        let mut whole = WholeFile::create(&path).unwrap();
        whole.write_all(b"whole").unwrap();
        whole.finish().unwrap();
        assert_eq!(read(&path), "whole");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn what_tells_of_a_file_never_stands_beside_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calls.csv");
        let about = folder.path().join("calls.csv.manifest.json");
        std::fs::write(&about, "of the old one").unwrap();
        // Nothing can take the place of a folder: it ends in the middle.
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("something"), "").unwrap();
        let file = WholeFile::create(&path).unwrap();
        assert!(file.finish_with(&about, "of the new one").is_err());
        assert!(!about.exists());
        std::fs::remove_dir_all(&path).unwrap();
        let file = WholeFile::create(&path).unwrap();
        file.finish_with(&about, "of the new one").unwrap();
        assert_eq!(read(&about), "of the new one");
    }
}
