//! A published deck in memory: rows by prefix, the longest first.

use crate::{
    billing::{
        DeckVersionId,
        deck::{Band, Deck, Header, Phase, Row},
    },
    time::Timestamp,
};

/// Digits of a number of E.164 at most.
const DIGITS_MAX: usize = 15;

/// A deck that is ready to be asked.
#[derive(Debug, Clone)]
pub struct Table {
    /// Which deck, in which version.
    pub id: DeckVersionId,
    /// What is true of all rows.
    pub header: Header,
    rows: Vec<Row>,
    /// For each length of a prefix, the prefixes of that length as numbers,
    /// sorted, with the index of their row.
    by_length: Vec<Vec<(u64, u32)>>,
}

/// The row that prices a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match<'a> {
    /// Number of the row, from 1.
    pub number: u32,
    /// The row.
    pub row: &'a Row,
}

impl Table {
    /// A published version; none for one that is not.
    pub fn new(id: DeckVersionId, deck: Deck) -> Option<Self> {
        let header = match (deck.phase, deck.header) {
            (Phase::Published, Some(header)) => header,
            (Phase::Published | Phase::Unborn | Phase::Open | Phase::Retired, _) => return None,
        };
        let mut by_length = vec![vec![]; DIGITS_MAX + 1];
        for (index, row) in (0..).zip(&deck.rows) {
            if let (Some(places), Ok(prefix)) =
                (by_length.get_mut(row.prefix.len()), row.prefix.parse())
            {
                places.push((prefix, index));
            }
        }
        by_length
            .iter_mut()
            .for_each(|places| places.sort_unstable());
        Some(Self {
            id,
            header,
            rows: deck.rows,
            by_length,
        })
    }

    /// How many rows it has.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// It has none, which no published deck has.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of the longest prefix that applies at that instant. A row of the
    /// time band that it is then goes before one that applies in all.
    pub fn find(&self, digits: &str, at: Timestamp) -> Option<Match<'_>> {
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let longest = digits.len().min(DIGITS_MAX);
        let mut prefix: u64 = digits.get(..longest)?.parse().ok()?;
        let mut band = None;
        for length in (1..=longest).rev() {
            if let Some(found) = self.at_length(length, prefix, at, &mut band) {
                return Some(found);
            }
            prefix /= 10;
        }
        None
    }

    fn at_length<'a>(
        &'a self,
        length: usize,
        prefix: u64,
        at: Timestamp,
        band: &mut Option<Option<&'a str>>,
    ) -> Option<Match<'a>> {
        let places = self.by_length.get(length)?;
        let first = places.partition_point(|(known, _)| *known < prefix);
        let mut general = None;
        for (_, index) in places[first..]
            .iter()
            .take_while(|(known, _)| *known == prefix)
        {
            let row = self.rows.get(usize::try_from(*index).ok()?)?;
            if !is_effective(row, at) {
                continue;
            }
            let found = Match {
                number: index.saturating_add(1),
                row,
            };
            match &row.band {
                None => general = general.or(Some(found)),
                Some(name) => {
                    // The time of day is worked out only where it matters.
                    let now = *band.get_or_insert_with(|| self.band_at(at));
                    if now == Some(name.as_str()) {
                        return Some(found);
                    }
                }
            }
        }
        general
    }

    /// The band that an instant is in, in the deck's zone.
    fn band_at(&self, at: Timestamp) -> Option<&str> {
        let (minute, weekday) = self.header.zone.clock_of(at);
        let holds = |band: &&Band| {
            band.weekdays.contains(&weekday) && (band.from_minute..band.to_minute).contains(&minute)
        };
        let band = self.header.bands.iter().find(holds)?;
        Some(&band.name)
    }
}

fn is_effective(row: &Row, at: Timestamp) -> bool {
    row.effective_from.is_none_or(|from| from <= at) && row.effective_to.is_none_or(|to| at < to)
}
