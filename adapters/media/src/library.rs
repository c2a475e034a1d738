//! The music that there is: our own track, and recordings of the settings, which are read
//! once, at the start.

use crate::{announcements, g711::FRAME_SAMPLES, music::Track, options::StartError};
use hound::WavReader;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// So long a piece of music lasts at most: in memory a minute takes a megabyte.
const MUSIC_MS_MAX: u64 = 600_000;

/// All of it. The first track is our own.
#[derive(Debug)]
pub(crate) struct Library {
    places: BTreeMap<String, usize>,
    own: Track,
    recorded: Vec<Track>,
}

impl Library {
    /// Reads the files.
    ///
    /// # Errors
    /// Names the first that is no recording of the one form that we play.
    pub(crate) fn read(files: &BTreeMap<String, PathBuf>) -> Result<Self, StartError> {
        let mut all = Self {
            places: BTreeMap::new(),
            own: Track::synthesise(),
            recorded: vec![],
        };
        for (name, file) in files {
            let track = looped(file).map_err(|reason| StartError::Music {
                name: name.clone(),
                file: file.clone(),
                reason,
            })?;
            all.recorded.push(track);
            all.places.insert(name.clone(), all.recorded.len());
        }
        Ok(all)
    }

    /// Which track has that name; without one our own. None if no track has it.
    pub(crate) fn place(&self, name: Option<&str>) -> Option<usize> {
        match name {
            None => Some(0),
            Some(name) => self.places.get(name).copied(),
        }
    }

    /// That track; our own instead of one that there is not.
    pub(crate) fn track(&self, place: usize) -> &Track {
        let recorded = place.checked_sub(1);
        recorded
            .and_then(|index| self.recorded.get(index))
            .unwrap_or(&self.own)
    }
}

/// A recording without what is left over after the last whole frame: silence there would be
/// heard in every round.
fn looped(file: &Path) -> Result<Track, String> {
    let reader = WavReader::open(file).map_err(|error| error.to_string())?;
    let mut samples = announcements::recorded(reader, MUSIC_MS_MAX)?;
    samples.truncate(samples.len() / FRAME_SAMPLES * FRAME_SAMPLES);
    match samples.is_empty() {
        true => Err("it lasts less than 20 ms".into()),
        false => Ok(Track::of(&samples)),
    }
}
