//! What callers can be told: recordings that are read once, at the start.

use crate::{
    g711::{FRAME_SAMPLES, Law, SAMPLE_RATE_HZ},
    music::Track,
    options::StartError,
};
use domain::call::ANNOUNCEMENT_MS_MAX;
use hound::{SampleFormat, WavReader};
use std::{
    collections::BTreeMap,
    io::{Read, Seek},
    path::{Path, PathBuf},
};

/// Silence before the first word: a phone that has just been answered is heard by its
/// user a moment later.
const LEAD_IN_MS: usize = 500;
const SAMPLES_PER_MS: usize = SAMPLE_RATE_HZ as usize / 1_000;

/// All that there are.
#[derive(Debug, Default)]
pub(crate) struct Announcements {
    places: BTreeMap<String, usize>,
    tracks: Vec<Track>,
}

impl Announcements {
    /// Reads the files.
    ///
    /// # Errors
    /// Names the first that is no recording of the one form that we play.
    pub(crate) fn read(files: &BTreeMap<String, PathBuf>) -> Result<Self, StartError> {
        let mut all = Self::default();
        for (name, file) in files {
            let track =
                read(file, ANNOUNCEMENT_MS_MAX).map_err(|reason| StartError::Announcement {
                    name: name.clone(),
                    file: file.clone(),
                    reason,
                })?;
            all.places.insert(name.clone(), all.tracks.len());
            all.tracks.push(track);
        }
        Ok(all)
    }

    /// Which one has that name.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// How many frames it has.
    pub(crate) fn frames(&self, place: usize) -> usize {
        self.tracks.get(place).map_or(0, Track::frames)
    }

    /// The frame of 20 ms with that number; none after the last.
    pub(crate) fn frame(&self, place: usize, law: Law, number: usize) -> Option<&[u8]> {
        let track = self.tracks.get(place)?;
        (number < track.frames()).then(|| track.frame(law, number))
    }
}

/// Reads a recording that lasts so long at most.
pub(crate) fn read(file: &Path, most_ms: u64) -> Result<Track, String> {
    let reader = WavReader::open(file).map_err(|error| error.to_string())?;
    samples(reader, most_ms).map(|samples| Track::of(&samples))
}

/// The samples, with silence before them and up to a whole frame.
fn samples<R: Read + Seek>(reader: WavReader<R>, most_ms: u64) -> Result<Vec<i16>, String> {
    let mut samples = vec![0; LEAD_IN_MS * SAMPLES_PER_MS];
    samples.extend(recorded(reader, most_ms)?);
    samples.resize(samples.len().next_multiple_of(FRAME_SAMPLES), 0);
    Ok(samples)
}

/// The samples of a recording in the one form that we play, of so long at most.
pub(crate) fn recorded<R: Read + Seek>(
    reader: WavReader<R>,
    most_ms: u64,
) -> Result<Vec<i16>, String> {
    let form = reader.spec();
    let is_ours = form.channels == 1
        && form.sample_rate == SAMPLE_RATE_HZ
        && form.bits_per_sample == 16
        && form.sample_format == SampleFormat::Int;
    if !is_ours {
        return Err(format!(
            "it has {} channel(s) of {} bits at {} Hz, and not one of 16 bits (PCM) at \
             {SAMPLE_RATE_HZ} Hz",
            form.channels, form.bits_per_sample, form.sample_rate
        ));
    }
    let length_ms = u64::from(reader.duration()) / SAMPLES_PER_MS as u64;
    if reader.duration() == 0 || length_ms > most_ms {
        return Err(format!(
            "it lasts {length_ms} ms, which is nothing or over {most_ms}"
        ));
    }
    let samples = reader.into_samples::<i16>();
    samples
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hound::{WavSpec, WavWriter};
    use std::io::Cursor;

    const FORM: WavSpec = WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE_HZ,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };

    fn read_back(form: WavSpec, samples_count: usize) -> Result<Vec<i16>, String> {
        let mut file = Cursor::new(vec![]);
        let mut writer = WavWriter::new(&mut file, form).unwrap();
        for _ in 0..samples_count {
            writer.write_sample(1_000i16).unwrap();
        }
        writer.finalize().unwrap();
        file.set_position(0);
        samples(WavReader::new(file).unwrap(), ANNOUNCEMENT_MS_MAX)
    }

    #[test]
    fn a_recording_has_a_lead_in_and_whole_frames() {
        let lead_in = LEAD_IN_MS * SAMPLES_PER_MS;
        let samples = read_back(FORM, FRAME_SAMPLES + 1).unwrap();
        assert_eq!(samples.len(), lead_in + 2 * FRAME_SAMPLES);
        assert!(samples[..lead_in].iter().all(|sample| *sample == 0));
        assert_eq!(samples[lead_in], 1_000);
        assert_eq!(samples[lead_in + FRAME_SAMPLES + 1], 0);
    }

    #[test]
    fn a_recording_of_another_form_or_length_is_told_what_is_wrong_with_it() {
        let stereo = WavSpec {
            channels: 2,
            ..FORM
        };
        assert!(read_back(stereo, 320).unwrap_err().contains("2 channel(s)"));
        let fast = WavSpec {
            sample_rate: 44_100,
            ..FORM
        };
        assert!(read_back(fast, 320).unwrap_err().contains("44100 Hz"));
        assert!(read_back(FORM, 0).unwrap_err().contains("0 ms"));
        let most = usize::try_from(ANNOUNCEMENT_MS_MAX).unwrap() * SAMPLES_PER_MS;
        assert!(read_back(FORM, most).is_ok());
        let error = read_back(FORM, most + SAMPLES_PER_MS).unwrap_err();
        assert!(error.contains("120001 ms"), "{error}");
    }
}
