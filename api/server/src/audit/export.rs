//! `ringledger export`: the record as JSON Lines with a chain of hashes.

use super::chain::{Chain, FORMAT, Header, Kind, Trailer, VERSION, body};
use crate::progress::Progress;
use anyhow::Context as _;
use commands::ports::{EventLog, Position};
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

/// Events read at once.
const PAGE: usize = 1_000;

/// Which part of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Events after this position.
    pub after: u64,
    /// Up to this one; none for the last.
    pub until: Option<u64>,
}

/// Writes the events of a range to a file, or to standard output without one.
/// Returns what is said when it is done. A file is complete or not there: it
/// gets its name at the end.
///
/// # Errors
/// When the record can not be read or the file not be written.
pub async fn export(store_url: &str, range: Range, file: Option<&Path>) -> anyhow::Result<String> {
    let look = store::look(store_url)
        .await
        .context("store can not be opened")?;
    let head = look.log.head().await?.0;
    let until = range.until.unwrap_or(head);
    anyhow::ensure!(
        until <= head,
        "the record has {head} events, not yet {until}"
    );
    let header = Header {
        format: FORMAT.into(),
        version: VERSION,
        after: range.after.min(until),
        until,
    };
    let Some(path) = file else {
        let mut out = BufWriter::new(std::io::stdout().lock());
        let written = write(look.log.as_ref(), &header, &mut out).await?;
        return Ok(written.said("standard output"));
    };
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let unwritable = || format!("{} can not be written", part.display());
    let mut out = BufWriter::new(File::create(part).with_context(unwritable)?);
    let written = write(look.log.as_ref(), &header, &mut out).await?;
    let done = out.into_inner().with_context(unwritable)?;
    done.sync_all().with_context(unwritable)?;
    std::fs::rename(part, path).with_context(unwritable)?;
    Ok(written.said(&path.display().to_string()))
}

/// What was written.
pub(super) struct Written {
    pub(super) trailer: Trailer,
    pub(super) hash: String,
}

impl Written {
    fn said(&self, place: &str) -> String {
        let Trailer { count, first, last } = &self.trailer;
        let range = match (first, last) {
            (Some(first), Some(last)) => format!("positions {first} to {last}"),
            (Some(_) | None, _) => "no position".into(),
        };
        format!(
            "{count} events, {range}, are in {place}\nhash {}\nkeep the hash elsewhere: \
             `ringledger verify FILE --hash HASH` then proves that the file is this one",
            self.hash
        )
    }
}

/// Writes header, events and trailer.
pub(super) async fn write(
    log: &dyn EventLog,
    header: &Header,
    out: &mut impl Write,
) -> anyhow::Result<Written> {
    let mut chain = Chain::new();
    let mut line = |kind, body: &str| writeln!(out, "{}", chain.line(kind, body));
    line(Kind::Header, &serde_json::to_string(header)?)?;
    let mut trailer = Trailer {
        count: 0,
        first: None,
        last: None,
    };
    let (progress, all) = (Progress::of("events"), header.until - header.after);
    let mut after = Position(header.after);
    while after.0 < header.until {
        let page = log.read_all(after, PAGE).await?;
        let Some(last) = page.events.last() else {
            break;
        };
        after = last.position;
        let wanted = page.events.iter();
        for event in wanted.take_while(|event| event.position.0 <= header.until) {
            line(Kind::Event, &body(event))?;
            trailer.count += 1;
            trailer.first = trailer.first.or(Some(event.position.0));
            trailer.last = Some(event.position.0);
        }
        progress.at(trailer.count, all);
    }
    line(Kind::Trailer, &serde_json::to_string(&trailer)?)?;
    out.flush()?;
    let hash = chain.hash();
    Ok(Written { trailer, hash })
}
