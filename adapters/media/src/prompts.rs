//! By what callers who wait are told their place: recordings of the places, which are read
//! once, at the start.

use crate::{announcements, g711::Law, music::Track, options::StartError};
use domain::queue::PROMPT_MS_MAX;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Places of which there can be a prompt.
const PROMPTS_MAX: u32 = domain::queue::ANNOUNCE_UP_TO_MAX;
/// What is heard behind the last of them.
const BEHIND: &str = "more.wav";

/// Those of one name.
#[derive(Debug, Default)]
struct Set {
    /// Of the first place and so on.
    numbered: Vec<usize>,
    behind: usize,
}

/// All that there are.
#[derive(Debug, Default)]
pub(crate) struct Prompts {
    sets: BTreeMap<String, Set>,
    tracks: Vec<Track>,
}

impl Prompts {
    /// Reads the folders.
    ///
    /// # Errors
    /// Names the first file that is missing or no recording of the one form that we play.
    pub(crate) fn read(folders: &BTreeMap<String, PathBuf>) -> Result<Self, StartError> {
        let mut all = Self::default();
        for (name, folder) in folders {
            let mut set = Set::default();
            for file in numbered(folder) {
                set.numbered.push(all.add(name, file)?);
            }
            if set.numbered.is_empty() {
                // It says that there is none.
                all.add(name, file_of(folder, 1))?;
            }
            set.behind = all.add(name, folder.join(BEHIND))?;
            all.sets.insert(name.clone(), set);
        }
        Ok(all)
    }

    fn add(&mut self, name: &str, file: PathBuf) -> Result<usize, StartError> {
        let track = announcements::read(&file, PROMPT_MS_MAX);
        let track = track.map_err(|reason| StartError::Prompt {
            name: name.into(),
            file,
            reason,
        })?;
        self.tracks.push(track);
        Ok(self.tracks.len() - 1)
    }

    /// The prompt of that place, or that somebody stands behind it, by those of that name.
    /// Of a place without one it is heard that it is behind the last.
    pub(crate) fn place(&self, name: &str, (place, is_behind): (u32, bool)) -> Option<usize> {
        let set = self.sets.get(name)?;
        let index = usize::try_from(place).ok()?.checked_sub(1)?;
        let numbered = set.numbered.get(index).filter(|_| !is_behind);
        Some(numbered.copied().unwrap_or(set.behind))
    }

    /// The frame of 20 ms with that number; none after the last.
    pub(crate) fn frame(&self, place: usize, law: Law, number: usize) -> Option<&[u8]> {
        let track = self.tracks.get(place)?;
        (number < track.frames()).then(|| track.frame(law, number))
    }
}

fn file_of(folder: &Path, place: u32) -> PathBuf {
    folder.join(format!("{place}.wav"))
}

/// The files of the first place and so on, as far as they are there.
fn numbered(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let files = (1..=PROMPTS_MAX).map(|place| file_of(folder, place));
    files.take_while(|file| file.is_file())
}

/// How many places a folder has a prompt of, counted from the first.
pub fn prompts_count(folder: &Path) -> u32 {
    u32::try_from(numbered(folder).count()).unwrap_or(u32::MAX)
}

/// The file that a folder is to have and has not, of those up to that place and the one for
/// whoever stands behind.
pub fn missing_prompt(folder: &Path, up_to: u32) -> Option<PathBuf> {
    let behind = folder.join(BEHIND);
    let mut wanted = (1..=up_to)
        .map(|place| file_of(folder, place))
        .chain([behind]);
    wanted.find(|file| !file.is_file())
}
