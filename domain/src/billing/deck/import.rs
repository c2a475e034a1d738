//! A deck as CSV (RFC 4180), read with all its faults by line: a person puts
//! all of them right at once.
//!
//! The header names the columns, in any order: `prefix` and `rate` must be
//! there; `description`, `currency`, `first_increment_s`, `next_increment_s`,
//! `connection_fee`, `minimum_charge`, `grace_s`, `effective_from`,
//! `effective_to` and `band` may be. Instants are RFC 3339, or a day, which
//! begins at midnight in the deck's zone.

use super::{
    check::{FaultReason, RowFault, check_rows},
    command::Command,
    event::{Header, ROWS_MAX as CHUNK_MAX, Row},
};
use crate::{billing::tariff::Tariff, calendar::Date, formula, money::Decimal, time::Timestamp};
use std::str::FromStr;

/// Faults that are told at most: the rest is most often the same mistake.
const FAULTS_MAX: usize = 100;
/// Rows of one deck at most: ten times what the largest carriers publish.
const ROWS_MAX: u32 = 1_000_000;

const COLUMNS: [&str; 12] = [
    "prefix",
    "rate",
    "description",
    "currency",
    "first_increment_s",
    "next_increment_s",
    "connection_fee",
    "minimum_charge",
    "grace_s",
    "effective_from",
    "effective_to",
    "band",
];

/// The rows of a file.
///
/// # Errors
/// Up to a hundred faults, each with its line, field and reason.
pub fn read(header: &Header, text: &str) -> Result<Vec<Row>, Vec<RowFault>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns = columns(&mut reader).map_err(|fault| vec![fault])?;
    let mut rows: Vec<(u32, Row)> = vec![];
    let mut faults = vec![];
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {
                let line = line_of(record.position());
                let read = Fields {
                    header,
                    columns: &columns,
                    record: &record,
                }
                .row();
                match read {
                    Ok(_) if rows.len() >= ROWS_MAX as usize => {
                        let reason = FaultReason::Unreadable("more than 1000000 rows".into());
                        faults.push(fault(line, "prefix", reason));
                    }
                    Ok(row) => rows.push((line, row)),
                    Err((field, reason)) => faults.push(fault(line, field, reason)),
                }
            }
            Err(error) => faults.push(unreadable(&error)),
        }
        if faults.len() >= FAULTS_MAX {
            return Err(faults);
        }
    }
    faults.extend(check_rows(
        &header.bands,
        rows.iter().map(|(line, row)| (*line, row)),
    ));
    faults.sort_by_key(|fault| fault.line);
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() {
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    } else {
        Err(faults)
    }
}

/// The orders that publish a version of these rows.
pub fn commands(header: Header, rows: &[Row]) -> Vec<Command> {
    let mut commands = vec![Command::Open { header }];
    let mut first_row = 1;
    for rows in rows.chunks(CHUNK_MAX) {
        commands.push(Command::AddRows {
            first_row,
            rows: rows.to_vec(),
        });
        first_row += u32::try_from(rows.len()).unwrap_or(u32::MAX);
    }
    commands.push(Command::Publish);
    commands
}

fn columns(reader: &mut csv::Reader<&[u8]>) -> Result<Vec<&'static str>, RowFault> {
    let unknown = |name: &str| {
        let reason = FaultReason::Unreadable(format!("{name:?} is no column of a deck"));
        fault(1, "header", reason)
    };
    let headers = reader.headers().map_err(|error| unreadable(&error))?;
    let mut columns = vec![];
    for name in headers {
        let known = COLUMNS.iter().find(|known| **known == name);
        columns.push(*known.ok_or_else(|| unknown(name))?);
    }
    for (index, name) in columns.iter().enumerate() {
        if columns[..index].contains(name) {
            let reason = FaultReason::Unreadable("the column is there twice".into());
            return Err(fault(1, name, reason));
        }
    }
    match ["prefix", "rate"]
        .iter()
        .find(|name| !columns.contains(name))
    {
        None => Ok(columns),
        Some(name) => {
            let reason = FaultReason::Unreadable("the column is missing".into());
            Err(fault(1, name, reason))
        }
    }
}

const fn fault(line: u32, field: &'static str, reason: FaultReason) -> RowFault {
    RowFault {
        line,
        field,
        reason,
    }
}

fn line_of(position: Option<&csv::Position>) -> u32 {
    position.map_or(0, |position| {
        u32::try_from(position.line()).unwrap_or(u32::MAX)
    })
}

fn unreadable(error: &csv::Error) -> RowFault {
    let line = line_of(error.position());
    fault(line, "row", FaultReason::Unreadable(error.to_string()))
}

type Fault = (&'static str, FaultReason);

struct Fields<'a> {
    header: &'a Header,
    columns: &'a [&'static str],
    record: &'a csv::StringRecord,
}

impl Fields<'_> {
    /// What stands in the column; none when it is empty or not there.
    fn get(&self, name: &str) -> Option<&str> {
        let place = self.columns.iter().position(|column| *column == name)?;
        self.record.get(place).filter(|text| !text.is_empty())
    }

    fn parse<T: FromStr<Err: ToString>>(&self, name: &'static str, default: T) -> Result<T, Fault> {
        match self.get(name) {
            None => Ok(default),
            // A sign alone is none: a price below zero is told as that.
            Some(text) if text.starts_with(['=', '@']) => Err((name, FaultReason::Formula)),
            Some(text) => text
                .parse()
                .map_err(|error: T::Err| (name, FaultReason::Unreadable(error.to_string()))),
        }
    }

    /// Words for people, who may open a file with them in a spreadsheet.
    fn words(&self, name: &'static str) -> Result<Option<&str>, Fault> {
        match self.get(name) {
            Some(text) if formula::may_begin(text) => Err((name, FaultReason::Formula)),
            words => Ok(words),
        }
    }

    fn instant(&self, name: &'static str) -> Result<Option<Timestamp>, Fault> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        if let Ok(date) = text.parse::<Date>() {
            return Ok(Some(self.header.zone.start_of(date)));
        }
        chrono::DateTime::parse_from_rfc3339(text)
            .map(|time| Some(Timestamp::from_micros(time.timestamp_micros())))
            .map_err(|_| {
                let reason = "is no day and no RFC 3339 instant".to_owned();
                (name, FaultReason::Unreadable(reason))
            })
    }

    fn row(&self) -> Result<Row, Fault> {
        let missing = |name| (name, FaultReason::Unreadable("is empty".into()));
        let prefix = self.get("prefix").ok_or_else(|| missing("prefix"))?;
        if self.get("rate").is_none() {
            return Err(missing("rate"));
        }
        if let Some(currency) = self.get("currency")
            && currency != self.header.currency.to_string()
        {
            return Err(("currency", FaultReason::OtherCurrency));
        }
        Ok(Row {
            prefix: prefix.strip_prefix('+').unwrap_or(prefix).to_owned(),
            description: self.words("description")?.unwrap_or_default().to_owned(),
            tariff: Tariff {
                rate: self.parse("rate", Decimal::ZERO)?,
                first_increment_s: self.parse("first_increment_s", 1)?,
                next_increment_s: self.parse("next_increment_s", 1)?,
                connection_fee: self.parse("connection_fee", Decimal::ZERO)?,
                minimum_charge: self.parse("minimum_charge", Decimal::ZERO)?,
                grace_s: self.parse("grace_s", 0)?,
            },
            effective_from: self.instant("effective_from")?,
            effective_to: self.instant("effective_to")?,
            band: self.words("band")?.map(str::to_owned),
        })
    }
}
