//! The rules of a version of a deck.

use super::{
    check::{check_header, check_rows},
    command::Command,
    error::Error,
    event::{Event, Header, ROWS_MAX, Row},
    state::{Deck, Phase},
};
use crate::time::Timestamp;
use sha2::{Digest, Sha256};

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(state: &Deck, _at: Timestamp, command: Command) -> Decision {
    match command {
        Command::Open { header } => open(state, header),
        Command::AddRows { first_row, rows } => add_rows(state, first_row, rows),
        Command::Publish => publish(state),
        Command::Retire => match state.phase {
            Phase::Published => Ok(vec![Event::Retired {}]),
            Phase::Retired => Ok(vec![]),
            Phase::Unborn | Phase::Open => Err(Error::NotPublished),
        },
    }
}

fn open(state: &Deck, header: Header) -> Decision {
    check_header(&header)?;
    match state.phase {
        Phase::Unborn => Ok(vec![Event::Opened { header }]),
        Phase::Open if state.header.as_ref() == Some(&header) => Ok(vec![]),
        Phase::Open | Phase::Published | Phase::Retired => Err(Error::AlreadyExists),
    }
}

fn add_rows(state: &Deck, first_row: u32, rows: Vec<Row>) -> Decision {
    match state.phase {
        Phase::Open => {}
        Phase::Unborn => return Err(Error::NotOpen),
        Phase::Published | Phase::Retired => return Err(Error::Immutable),
    }
    if rows.is_empty() || rows.len() > ROWS_MAX {
        return Err(Error::TooManyRows);
    }
    let have = state.rows.len();
    let first = usize::try_from(first_row).unwrap_or(usize::MAX);
    let is_there = first >= 1
        && state
            .rows
            .get(first - 1..(first - 1).saturating_add(rows.len()))
            == Some(&rows[..]);
    if is_there {
        return Ok(vec![]);
    }
    if first != have + 1 {
        return Err(Error::RowsMissing {
            have: u32::try_from(have).unwrap_or(u32::MAX),
            first_row,
        });
    }
    let bands = state
        .header
        .as_ref()
        .map_or(&[][..], |header| &header.bands);
    let numbers = first_row..;
    match check_rows(bands, numbers.zip(&rows)).into_iter().next() {
        Some(fault) => Err(Error::InvalidRow(fault)),
        None => Ok(vec![Event::RowsAdded { first_row, rows }]),
    }
}

fn publish(state: &Deck) -> Decision {
    let header = match (&state.header, state.phase) {
        (Some(header), Phase::Open) => header,
        (_, Phase::Published) => return Ok(vec![]),
        (_, Phase::Retired) => return Err(Error::Immutable),
        (_, Phase::Unborn) | (None, Phase::Open) => return Err(Error::NotOpen),
    };
    if state.rows.is_empty() {
        return Err(Error::Empty);
    }
    match check_rows(&header.bands, (1..).zip(&state.rows))
        .into_iter()
        .next()
    {
        Some(fault) => Err(Error::InvalidRow(fault)),
        None => Ok(vec![Event::Published {
            rows_count: u32::try_from(state.rows.len()).unwrap_or(u32::MAX),
            hash: hash(header, &state.rows),
        }]),
    }
}

/// SHA-256 over the header and the rows as they are stored, a line each.
fn hash(header: &Header, rows: &[Row]) -> String {
    let mut hash = Sha256::new();
    let mut line = |json: Result<String, serde_json::Error>| {
        hash.update(json.unwrap_or_default());
        hash.update(b"\n");
    };
    line(serde_json::to_string(header));
    for row in rows {
        line(serde_json::to_string(row));
    }
    let digest = hash.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
