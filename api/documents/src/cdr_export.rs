//! Call records as a file: CSV or JSON Lines, a page of rows in memory at a
//! time. The same order at the same position gives the same bytes, whatever
//! was recorded, rated or corrected since; only personal data that was erased since
//! is missing, and the manifest says how many rows lack it, or that rows may be gone where
//! they were sought by it.

mod charge;

use crate::field::{self, Field, Record, id, number, text, word};
use chrono_tz::Tz;
use domain::{call::LegMedia, e164, id::CallId};
use projections::{
    billing::charges,
    cdr::{End, Filter, Leg, Reached, Row, Segment, SegmentKind},
    user_field::UserField,
    views::{ViewError, Views},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Version of the columns.
pub const SCHEMA: &str = "ringledger-cdr/7";
/// Rows read at a time: the most that a page has.
const ROWS: usize = projections::page::PAGE_MAX;

/// How the rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// RFC 4180, with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl Format {
    /// As a file's name ends.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    /// Media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Jsonl => "application/jsonl",
        }
    }
}

/// What is to be exported: everything that decides the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Which records.
    pub filter: Filter,
    /// How they are written.
    pub format: Format,
    /// A row for each leg, not for each call.
    pub legs: bool,
    /// Zone of the instants that are not in UTC.
    pub zone: Tz,
    /// As they stood when the log had got so far.
    pub position: u64,
    /// The columns of what calls cost are left out: for who may not see money. Not
    /// written when it is not so: the addresses of earlier orders stay what they were.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_prices: bool,
}

/// What an export was, to be kept beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// Version of the columns.
    pub schema: &'static str,
    /// The order.
    #[serde(flatten)]
    pub order: Order,
    /// Rows, without the header.
    pub rows: u64,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Rows with personal data, of the caller, of whoever sent the call on or written about
    /// the call, that has been erased. When this is more
    /// than in an earlier manifest of the same order, the files differ in
    /// those rows and nowhere else.
    pub rows_erased: u64,
    /// Of an order of one caller's calls: people who were forgotten after its position. If
    /// the caller is among them, the rows that an earlier file of the order had are gone.
    /// How many they were is not said: nobody is found by number who was forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forgotten_since: Option<u64>,
}

/// An export that is being written.
pub struct Export {
    views: Views,
    order: Order,
    /// Where the next rows begin; none when there are no more.
    next: Option<Option<Reached>>,
    has_header: bool,
    rows: u64,
    rows_erased: u64,
    forgotten_since: Option<u64>,
    calls: u64,
    bytes: u64,
    hash: Sha256,
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").finish_non_exhaustive()
    }
}

impl Export {
    /// Nothing is read before the first piece is asked for.
    pub fn new(views: Views, order: Order) -> Self {
        Self {
            views,
            order,
            next: Some(None),
            has_header: false,
            rows: 0,
            rows_erased: 0,
            forgotten_since: None,
            calls: 0,
            bytes: 0,
            hash: Sha256::new(),
        }
    }

    /// The next piece of the file; none at its end.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ViewError> {
        let Some(after) = self.next.take() else {
            return Ok(None);
        };
        let Order {
            filter,
            position,
            without_prices,
            ..
        } = &self.order;
        let (rows, next) = self
            .views
            .cdrs_as_of(filter, *position, after, ROWS)
            .await?;
        self.next = next.map(Some);
        if self.next.is_none() && filter.subject.is_some() {
            let forgotten = self.views.erasures_after_count(*position).await?;
            self.forgotten_since = Some(forgotten);
        }
        let calls: Vec<_> = rows.iter().map(|row| row.call).collect();
        let charges = if *without_prices {
            vec![]
        } else {
            self.views.charges_of(&calls).await?
        };
        // What was rated later, or again, does not show.
        let charges = charges.iter().filter_map(|row| row.as_of(*position));
        let charges = charges.map(|row| (row.call, row)).collect();
        let piece = self.write(&rows, &charges).into_bytes();
        self.bytes += piece.len() as u64;
        self.hash.update(&piece);
        Ok(Some(piece))
    }

    /// Calls that are written so far.
    pub const fn calls_count(&self) -> u64 {
        self.calls
    }

    /// What was written, once there is no more.
    pub fn manifest(self) -> Manifest {
        Manifest {
            schema: SCHEMA,
            order: self.order,
            rows: self.rows,
            bytes: self.bytes,
            sha256: hex::encode(self.hash.finalize()),
            rows_erased: self.rows_erased,
            forgotten_since: self.forgotten_since,
        }
    }

    fn write(&mut self, rows: &[Row], charges: &BTreeMap<CallId, charges::Row>) -> String {
        let mut piece = String::new();
        let Order {
            format,
            legs,
            zone,
            without_prices,
            ..
        } = self.order;
        if !self.has_header && format == Format::Csv {
            piece.push_str(&names(legs, without_prices));
        }
        self.has_header = true;
        for row in rows {
            let charge = charges.get(&row.call);
            let records: Vec<Record> = if legs {
                let legs = row.legs.iter();
                let with_prices = |leg| {
                    let mut record = leg_record(row, leg);
                    if !without_prices {
                        record.extend(leg_charged(leg, charge));
                    }
                    record
                };
                legs.map(with_prices).collect()
            } else {
                let mut record = call_record(row);
                if !without_prices {
                    record.extend(call_charged(charge));
                }
                vec![record]
            };
            let written = records.len() as u64;
            for record in &records {
                match format {
                    Format::Csv => field::csv(record, zone, &mut piece),
                    Format::Jsonl => {
                        let object = Value::Object(field::json(record, zone));
                        piece.push_str(&object.to_string());
                        piece.push('\n');
                    }
                }
            }
            self.calls += 1;
            self.rows += written;
            let diverter = row.diverted.as_ref().map(|diverted| &diverted.by);
            let mut persons = std::iter::once(&row.caller).chain(diverter);
            let field = row.user_field.as_ref();
            let is_erased = field.is_some_and(UserField::is_erased);
            if is_erased || persons.any(|person| person.party.is_none()) {
                self.rows_erased += written;
            }
        }
        piece
    }
}

/// A column: its name, and its value of a call.
type CallColumn = (&'static str, fn(&Row) -> Field);
/// A column: its name, and its value of a leg.
type LegColumn = (&'static str, fn(&Leg) -> Field);

/// Where a row belongs: the first columns of a call and of a leg.
const HEAD: &[CallColumn] = &[
    ("schema", |_| Field::Word(Some(SCHEMA.into()))),
    ("call_id", |row| id(Some(row.call))),
    ("revision", |row| number(Some(row.revision))),
    ("direction", |row| word(row.direction)),
];

const CALL: &[CallColumn] = &[
    ("subject_id", |row| id(Some(row.caller.subject))),
    ("from", |row| {
        text(row.caller.party.as_ref().map(|party| &party.user))
    }),
    ("from_host", |row| {
        let party = row.caller.party.as_ref();
        text(party.and_then(|party| party.host.as_ref()))
    }),
    ("caller_name", |row| {
        let party = row.caller.party.as_ref();
        text(party.and_then(|party| party.display_name.as_ref()))
    }),
    ("dialled", |row| text(Some(&row.to))),
    ("trunk_id", |row| id(row.trunk)),
    ("queue_id", |row| id(row.queue)),
    ("agent_id", |row| id(row.agent)),
    ("offer_id", |row| id(row.offer)),
    ("sip_call_id", |row| text(Some(&row.sip_call_id))),
    ("started_at", |row| Field::Time(Some(row.started_at))),
    ("enqueued_at", |row| Field::Time(row.enqueued_at)),
    ("alerting_at", |row| Field::Time(row.alerting_at)),
    ("answered_at", |row| Field::Time(row.answered_at)),
    ("agent_connected_at", |row| {
        Field::Time(row.agent_connected_at)
    }),
    ("ended_at", |row| Field::Time(row.ended_at())),
    ("setup_ms", |row| number(row.setup_ms())),
    ("ring_ms", |row| number(Some(row.ring_ms))),
    ("wait_ms", |row| number(Some(row.wait_ms()))),
    ("duration_ms", |row| number(Some(row.duration_ms()))),
    ("billable_ms", |row| number(Some(row.billable_ms()))),
    ("talk_ms", |row| number(Some(row.talk_ms()))),
    ("hold_ms", |row| number(Some(row.hold_ms))),
    ("wrap_up_ms", |row| number(Some(row.wrap_up_ms))),
    ("disposition", |row| end(row, |end| word(end.disposition))),
    ("end_result", |row| end(row, |end| word(end.result))),
    ("end_reason", |row| end(row, |end| word(end.reason))),
    ("hangup_by", |row| end(row, |end| word(end.by))),
    ("sip_status", |row| end(row, |end| number(end.sip_status))),
    ("q850_cause", |row| end(row, |end| number(end.q850_cause))),
    ("reason_header", |row| {
        end(row, |end| text(end.reason_header.as_ref()))
    }),
    ("incomplete", |row| {
        end(row, |end| Field::Flag(end.incomplete))
    }),
    ("offers_count", |row| number(Some(row.offers_count))),
    ("legs_count", |row| {
        number(Some(row.own_legs().count() as u64))
    }),
    ("late_facts_count", |row| number(Some(row.late_facts_count))),
    ("event_position_first", |row| {
        number(Some(row.event_position_first))
    }),
    ("event_position_last", |row| {
        number(Some(row.revised_position))
    }),
    ("user_agent", |row| text(row.user_agent.as_ref())),
    ("node_epoch", |row| number(Some(row.node_epoch))),
    ("codec", |row| text(row.codec())),
    ("diverted_by_subject_id", |row| {
        id(row.diverted.as_ref().map(|diverted| diverted.by.subject))
    }),
    ("diverted_by", |row| {
        let diverted = row.diverted.as_ref();
        let party = diverted.and_then(|diverted| diverted.by.party.as_ref());
        text(party.map(|party| &party.user))
    }),
    ("diversion_reason", |row| {
        word(row.diverted.as_ref().map(|diverted| diverted.reason))
    }),
    ("mos_hundredths", |row| number(row.mos_hundredths())),
    ("loss_ppm", |row| number(row.loss_ppm())),
    ("jitter_us", |row| number(row.jitter_us())),
    ("rtt_us", |row| number(row.rtt_us())),
    ("mailbox_id", |row| id(row.voicemail.map(|it| it.mailbox))),
    ("voicemail_id", |row| {
        id(row.voicemail.and_then(|it| it.message))
    }),
    ("voicemail_outcome", |row| {
        word(row.voicemail.and_then(|it| it.outcome))
    }),
    ("voicemail_ms", |row| {
        number(row.voicemail.map(|it| it.length_ms))
    }),
    ("tags", |row| {
        let tags: Vec<&str> = row.tags.iter().map(String::as_str).collect();
        text((!tags.is_empty()).then(|| tags.join(" ")))
    }),
    ("user_field", |row| {
        text(row.user_field.as_ref().and_then(UserField::text))
    }),
    ("tenant_id", |row| id(Some(row.tenant))),
    ("codec_in", |row| text(row.codec_in())),
    ("codec_out", |row| text(row.codec_out())),
    ("device", |row| text(row.device())),
    ("from_e164", |row| {
        let party = row.caller.party.as_ref();
        text(party.and_then(|party| e164::of(&party.user)))
    }),
    ("dialled_e164", |row| text(e164::of(&row.to))),
    ("transfers_count", |row| number(Some(row.transfers_count()))),
];

const LEG: &[LegColumn] = &[
    ("leg_id", |leg| id(Some(leg.leg))),
    ("parent_leg_id", |leg| id(leg.parent)),
    ("role", |leg| word(leg.role)),
    ("agent_id", |leg| id(leg.agent)),
    ("offer_id", |leg| id(leg.offer)),
    ("started_at", |leg| Field::Time(Some(leg.started_at))),
    ("alerting_at", |leg| Field::Time(leg.alerting_at)),
    ("answered_at", |leg| Field::Time(leg.answered_at)),
    ("ended_at", |leg| Field::Time(leg.ended_at)),
    ("duration_ms", |leg| number(Some(leg.duration_ms()))),
    ("billable_ms", |leg| number(Some(leg.billable_ms()))),
    ("wait_ms", |leg| spent(leg, SegmentKind::Queue)),
    ("ring_ms", |leg| spent(leg, SegmentKind::Alert)),
    ("talk_ms", |leg| spent(leg, SegmentKind::Talk)),
    ("hold_ms", |leg| spent(leg, SegmentKind::Hold)),
    ("wrap_up_ms", |leg| spent(leg, SegmentKind::WrapUp)),
    ("outcome", |leg| word(leg.outcome)),
    ("sip_status", |leg| number(leg.sip_status)),
    ("reason_header", |leg| text(leg.reason_header.as_ref())),
    ("codec", |leg| text(leg.codec())),
    ("device", |leg| text(leg.device.as_ref())),
    ("trunk_id", |leg| id(leg.trunk)),
    ("trunks_tried", |leg| text(tried(leg).as_ref())),
    ("received_count", |leg| {
        measured(leg, |media| number(Some(media.received_count)))
    }),
    ("lost_count", |leg| {
        measured(leg, |media| number(Some(media.lost_count)))
    }),
    ("sent_count", |leg| {
        measured(leg, |media| number(Some(media.sent_count)))
    }),
    ("far_lost_count", |leg| {
        measured(leg, |media| number(media.far_lost_count))
    }),
    ("jitter_us", |leg| {
        measured(leg, |media| number(Some(media.jitter_us)))
    }),
    ("jitter_max_us", |leg| {
        measured(leg, |media| number(Some(media.jitter_max_us)))
    }),
    ("rtt_us", |leg| measured(leg, |media| number(media.rtt_us))),
    ("mos_hundredths", |leg| {
        measured(leg, |media| number(media.mos_hundredths()))
    }),
    ("transferred_to_queue_id", |leg| id(leg.transferred_to)),
    ("segments", |leg| {
        Field::Json(leg.segments.iter().map(segment).collect())
    }),
];

/// A column of a leg that its call must tell.
const DIALLED: &str = "dialled";

/// A value of the end; a record that is exported has one.
fn end(row: &Row, of: fn(&End) -> Field) -> Field {
    row.end.as_ref().map_or(Field::Word(None), of)
}

/// A stretch of the leg: what went on, from when to when, in which queue, with whom.
fn segment(segment: &Segment) -> Value {
    json!({
        "kind": word(segment.kind).value(),
        "started_at": Field::Time(Some(segment.started_at)).value(),
        "ended_at": Field::Time(segment.ended_at).value(),
        "duration_ms": segment.duration_ms(),
        "queue_id": id(segment.queue).value(),
        "agent_id": id(segment.agent).value(),
        "end_reason": word(segment.end).value(),
    })
}

/// Trunks that did not take the leg, each with the status that it sent, if any.
fn tried(leg: &Leg) -> Option<String> {
    let each = leg.tried.iter().map(|tried| match tried.sip_status {
        Some(status) => format!("{} {status}", tried.trunk),
        None => tried.trunk.to_string(),
    });
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| each.join("; "))
}

/// A value of what was measured of a leg's sound.
fn measured(leg: &Leg, of: fn(&LegMedia) -> Field) -> Field {
    let measured = leg.measured.as_ref();
    measured.map_or(Field::Word(None), |measured| of(&measured.media))
}

fn spent(leg: &Leg, kind: SegmentKind) -> Field {
    number(Some(leg.spent_ms(kind)))
}

fn names(legs: bool, without_prices: bool) -> String {
    let head = HEAD.iter().map(|(name, _)| *name);
    let standing = charge::STANDING.iter().map(|(name, _)| *name);
    let (columns, charged): (Vec<_>, Vec<_>) = if legs {
        let columns = LEG.iter().map(|(name, _)| *name);
        let charged = charge::LEG.iter().map(|(name, _)| *name);
        (
            head.chain(columns).chain([DIALLED]).collect(),
            standing.chain(charged).collect(),
        )
    } else {
        let columns = CALL.iter().map(|(name, _)| *name);
        let charged = charge::CALL.iter().map(|(name, _)| *name);
        (
            head.chain(columns).collect(),
            standing.chain(charged).collect(),
        )
    };
    let charged = charged.into_iter().filter(|_| !without_prices);
    field::header(columns.into_iter().chain(charged))
}

fn call_record(row: &Row) -> Record {
    let columns = HEAD.iter().chain(CALL);
    columns.map(|(name, of)| (*name, of(row))).collect()
}

/// What the call costs.
fn call_charged(charge: Option<&charges::Row>) -> Record {
    let charged = charge::STANDING.iter().chain(charge::CALL);
    let charged = charged.map(|(name, of)| (*name, charge.map_or(Field::Word(None), of)));
    charged.collect()
}

fn leg_record(row: &Row, leg: &Leg) -> Record {
    let head = HEAD.iter().map(|(name, of)| (*name, of(row)));
    let columns = LEG.iter().map(|(name, of)| (*name, of(leg)));
    let dialled = (DIALLED, text(row.dialled(leg)));
    head.chain(columns).chain([dialled]).collect()
}

/// What the leg costs.
fn leg_charged(leg: &Leg, charge: Option<&charges::Row>) -> Record {
    let standing = charge::STANDING.iter();
    let standing = standing.map(|(name, of)| (*name, charge.map_or(Field::Word(None), of)));
    let bill = charge.and_then(|charge| charge.bill.as_ref());
    let mut records = bill.into_iter().flat_map(|bill| &bill.records);
    // A leg that is not charged has nothing there.
    let record = records.find(|record| record.leg == leg.leg);
    let charged = charge::LEG.iter();
    let charged = charged.map(|(name, of)| (*name, record.map_or(Field::Word(None), of)));
    standing.chain(charged).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instant_and_nothing_else_is_named_so() {
        let header = names(false, false);
        let legs = names(true, false);
        for (line, count) in [(&header, 6), (&legs, 4)] {
            assert_eq!(line.matches("_at_utc").count(), count);
            assert_eq!(line.matches("_at,").count(), count);
            assert!(line.ends_with("\r\n"));
        }
    }
}
