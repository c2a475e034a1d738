//! `ringledger verify`: whether an export is as it was written.

use super::chain::{Chain, FORMAT, Header, Kind, Place, Trailer, VERSION, body, split};
use crate::progress::Progress;
use anyhow::Context as _;
use commands::ports::{EventLog, Position, Recorded};
use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    sync::Arc,
};

/// Events read from the store at once.
const PAGE: usize = 1_000;

/// What a file is compared with beside itself.
#[derive(Debug, Clone, Default)]
pub struct Against {
    /// The hash that was kept when it was written.
    pub hash: Option<String>,
    /// The store that it was written from.
    pub store_url: Option<String>,
}

/// Verifies a file; returns what is said when it holds together.
///
/// # Errors
/// Names the line at which it does not, or what can not be read.
pub async fn verify(file: &Path, against: &Against) -> anyhow::Result<String> {
    let unreadable = || format!("{} can not be read", file.display());
    let size = file.metadata().with_context(unreadable)?.len();
    let source = BufReader::new(File::open(file).with_context(unreadable)?);
    let look = match &against.store_url {
        Some(url) => Some(store::look(url).await.context("store can not be opened")?),
        None => None,
    };
    let stored = look.map(|look| Stored::new(look.log));
    let mut check = Check::new(stored);
    let progress = Progress::of("bytes");
    let mut done = 0;
    for (line, number) in source.lines().zip(1_u64..) {
        let line = line.with_context(unreadable)?;
        done += line.len() as u64 + 1;
        let checked = check.line(&line).await;
        checked.with_context(|| format!("{}, line {number}", file.display()))?;
        progress.at(done, size);
    }
    drop(progress);
    let said = check.finish(against.hash.as_deref()).await;
    said.with_context(|| file.display().to_string())
}

/// The store's own events, beside those of the file.
struct Stored {
    log: Arc<dyn EventLog>,
    ahead: VecDeque<Recorded>,
    after: Position,
}

impl Stored {
    const fn new(log: Arc<dyn EventLog>) -> Self {
        Self {
            log,
            ahead: VecDeque::new(),
            after: Position(0),
        }
    }

    async fn next(&mut self) -> anyhow::Result<Option<Recorded>> {
        if self.ahead.is_empty() {
            let page = self.log.read_all(self.after, PAGE).await?;
            self.after = page.next;
            self.ahead.extend(page.events);
        }
        Ok(self.ahead.pop_front())
    }
}

struct Check {
    chain: Chain,
    header: Option<Header>,
    trailer: Option<Trailer>,
    count: u64,
    first: Option<u64>,
    last: Option<u64>,
    /// Version of each stream so far.
    versions: BTreeMap<String, u64>,
    stored: Option<Stored>,
}

impl Check {
    fn new(stored: Option<Stored>) -> Self {
        Self {
            chain: Chain::new(),
            header: None,
            trailer: None,
            count: 0,
            first: None,
            last: None,
            versions: BTreeMap::new(),
            stored,
        }
    }

    async fn line(&mut self, line: &str) -> anyhow::Result<()> {
        anyhow::ensure!(self.trailer.is_none(), "stands after the end: it was added");
        let (hash, kind, body) = split(line)
            .context("is no line of an export: it was changed, or cut off in the middle")?;
        self.chain.add(kind, body);
        if self.chain.hash() != hash {
            anyhow::bail!(
                "hash does not fit: the line was changed, or before it one was removed, \
                 added or moved{}",
                self.hint(kind, body)
            );
        }
        match kind {
            Kind::Header => self.start(body).await,
            Kind::Event => self.event(body).await,
            Kind::Trailer => self.end(body),
        }
    }

    /// What the position tells of a line whose hash does not fit.
    fn hint(&self, kind: Kind, body: &str) -> String {
        let place = serde_json::from_str::<Place>(body).ok();
        match (kind, place, self.last) {
            (Kind::Event, Some(place), Some(last)) if place.position <= last => format!(
                " (position {} comes after {last}: lines were moved)",
                place.position
            ),
            (Kind::Event, Some(place), Some(last)) if place.position > last + 1 => format!(
                " (position {} comes after {last}: {} may be missing)",
                place.position,
                place.position - last - 1
            ),
            (Kind::Event, Some(place), _) => format!(" (position {})", place.position),
            (Kind::Header | Kind::Event | Kind::Trailer, _, _) => String::new(),
        }
    }

    async fn start(&mut self, body: &str) -> anyhow::Result<()> {
        anyhow::ensure!(self.header.is_none(), "is a second header");
        let header: Header = serde_json::from_str(body).context("header is not understood")?;
        anyhow::ensure!(
            header.format == FORMAT && header.version == VERSION,
            "this program knows version {VERSION} of a {FORMAT}"
        );
        if let Some(stored) = &mut self.stored {
            stored.after = Position(header.after);
            let head = stored.log.head().await?;
            anyhow::ensure!(
                header.until <= head.0,
                "the store ends at position {head}, the file goes to {}: another store, or \
                 one that was set back",
                header.until
            );
        }
        self.header = Some(header);
        Ok(())
    }

    async fn event(&mut self, text: &str) -> anyhow::Result<()> {
        let header = self.header.as_ref().context("comes before a header")?;
        let place: Place = serde_json::from_str(text).context("event is not understood")?;
        let after = self.last.unwrap_or(header.after);
        anyhow::ensure!(
            place.position == after + 1 && place.position <= header.until,
            "position {} comes after {after}: positions have no gaps, so what was between was \
             removed, or the record was not so",
            place.position
        );
        let known = self.versions.get(&place.stream).copied();
        // A part of the record may begin anywhere in a stream.
        let is_next = match known {
            Some(version) => place.version == version + 1,
            None => header.after > 0 || place.version == 1,
        };
        anyhow::ensure!(
            is_next,
            "stream {} goes from version {} to {}: events are missing in the record itself",
            place.stream,
            known.unwrap_or(0),
            place.version
        );
        if let Some(stored) = &mut self.stored {
            let own = stored.next().await?;
            let own = own.as_ref().map(body);
            anyhow::ensure!(
                own.as_deref() == Some(text),
                "position {} is not what the store has",
                place.position
            );
        }
        self.versions.insert(place.stream, place.version);
        self.first = self.first.or(Some(place.position));
        self.last = Some(place.position);
        self.count += 1;
        Ok(())
    }

    fn end(&mut self, body: &str) -> anyhow::Result<()> {
        anyhow::ensure!(self.header.is_some(), "comes before a header");
        let trailer: Trailer = serde_json::from_str(body).context("end is not understood")?;
        let found = Trailer {
            count: self.count,
            first: self.first,
            last: self.last,
        };
        anyhow::ensure!(
            trailer == found,
            "the end tells of {} events, {} are there: some were removed or added",
            trailer.count,
            self.count
        );
        self.trailer = Some(trailer);
        Ok(())
    }

    async fn finish(mut self, expected: Option<&str>) -> anyhow::Result<String> {
        let header = self
            .header
            .take()
            .context("is no export: it has no header")?;
        anyhow::ensure!(
            self.trailer.is_some(),
            "ends after position {} without its last line: it was cut off, or the export \
             did not finish",
            self.last.unwrap_or(header.after)
        );
        let last = self.last.unwrap_or(header.after);
        anyhow::ensure!(
            last == header.until,
            "goes to position {last} and says that it goes to {}: its end was removed",
            header.until
        );
        let hash = self.chain.hash();
        if let Some(expected) = expected {
            anyhow::ensure!(
                expected.eq_ignore_ascii_case(&hash),
                "holds together, but its hash is {hash} and not the one that was kept: it \
                 is another file"
            );
        }
        let mut said = format!(
            "{} events after position {} and up to {} hold together: none was changed, \
             removed, added or moved\nhash {hash}",
            self.count, header.after, header.until
        );
        if let Some(mut stored) = self.stored.take() {
            if let Some(more) = stored.next().await?
                && more.position.0 <= header.until
            {
                anyhow::bail!(
                    "the store has position {} that the file has not: it was removed",
                    more.position
                );
            }
            let head = stored.log.head().await?;
            said.push_str(&format!(
                "\nthe store has the same events up to there, and goes on to position {head}"
            ));
        } else if expected.is_none() {
            said.push_str(
                "\na whole file that was made anew would hold together too: compare with the \
                 hash that was kept (--hash) or with the store (--store)",
            );
        }
        Ok(said)
    }
}
