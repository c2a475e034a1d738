//! Reports as CSV: queues, agents and trunks by interval, and callers who left.

use crate::field::{self, Field, Record, id, number, text, word};
use chrono_tz::Tz;
use domain::{
    line::RejectReason,
    session::{NotReadyReason, ReleaseReason},
};
use projections::{
    cdr,
    queue_stats::ServiceLevel,
    report::{AgentReportRow, Handled, QueueReportRow, TrunkReportRow},
    visits,
};

/// The records as a file; the header has the names of `columns`.
pub fn csv(columns: &[&str], records: &[Record], zone: Tz) -> String {
    let mut file = field::header(columns.iter().copied());
    for record in records {
        field::csv(record, zone, &mut file);
    }
    file
}

/// A share in parts per million: no fraction is written as a decimal.
fn ppm(part: u64, whole: u64) -> Field {
    let millions = u128::from(part) * 1_000_000;
    Field::Number(
        millions
            .checked_div(u128::from(whole))
            .and_then(|share| share.try_into().ok()),
    )
}

/// Variants of the service level and their columns.
const SERVICE_LEVELS: [(&str, ServiceLevel); 6] = [
    ("sl_answered_ppm", ServiceLevel::Answered),
    ("sl_offered_ppm", ServiceLevel::Offered),
    ("sl_abandon_counted_ppm", ServiceLevel::AbandonCounted),
    ("sl_short_excluded_ppm", ServiceLevel::ShortExcluded),
    (
        "sl_abandon_in_t_excluded_ppm",
        ServiceLevel::AbandonInThresholdExcluded,
    ),
    ("sl_abandon_as_success_ppm", ServiceLevel::AbandonAsSuccess),
];

/// Names of a record's columns.
pub fn columns(record: &Record) -> Vec<&'static str> {
    record.iter().map(|(name, _)| *name).collect()
}

/// A queue in an interval. The definitions, T and S, stand in every line.
pub fn queue(name: &str, row: &QueueReportRow) -> Record {
    let counters = &row.counters;
    let mut record = vec![
        ("queue", text(Some(name))),
        ("start_at", Field::Time(Some(row.span.start))),
        ("end_at", Field::Time(Some(row.span.end))),
        ("threshold_ms", number(Some(row.measure().threshold_ms))),
        (
            "short_abandon_ms",
            number(Some(row.measure().short_abandon_ms)),
        ),
        (
            "waiting_before_count",
            number(Some(row.waiting_before_count)),
        ),
        ("offered_count", number(Some(counters.offered_count))),
        ("answered_count", number(Some(counters.answered_count))),
        (
            "answered_in_threshold_count",
            number(Some(counters.answered_in_threshold_count)),
        ),
        ("abandoned_count", number(Some(counters.abandoned_count))),
        (
            "short_abandoned_count",
            number(Some(counters.short_abandoned_count)),
        ),
        (
            "abandoned_in_threshold_count",
            number(Some(counters.abandoned_in_threshold_count)),
        ),
        ("flow_out_count", number(Some(counters.flow_out_count))),
        ("callback_count", number(Some(counters.callback_count))),
        ("waiting_after_count", number(Some(row.waiting_after_count))),
        ("waiting_max_count", number(Some(row.waiting_max_count))),
    ];
    for (column, variant) in SERVICE_LEVELS {
        let (part, whole) = counters.service_level_parts(variant);
        record.push((column, ppm(part, whole)));
    }
    record.extend([
        ("asa_ms", number(counters.average_speed_of_answer_ms())),
        ("average_abandon_ms", number(counters.average_abandon_ms())),
        ("longest_wait_ms", number(Some(counters.longest_wait_ms))),
        ("handled_count", number(Some(row.handled.contacts_count))),
        ("talk_ms", number(Some(row.handled.talk_ms))),
        ("hold_ms", number(Some(row.handled.hold_ms))),
        ("wrap_up_ms", number(Some(row.handled.wrap_up_ms))),
        ("aht_ms", number(row.handled.average_handling_ms())),
    ]);
    let abandonment = (counters.abandoned_count, counters.closed_count());
    record.push(("abandonment_ppm", ppm(abandonment.0, abandonment.1)));
    let (left, closed) = counters.net_abandonment_parts();
    record.push(("net_abandonment_ppm", ppm(left, closed)));
    record.push(("staffed_ms", number(Some(row.staffed_ms))));
    record.push(("agents_staffed_milli", number(row.agents_staffed_milli())));
    record.push((
        "net_average_abandon_ms",
        number(counters.net_average_abandon_ms()),
    ));
    record.push(("rejected_count", number(Some(counters.rejected_count))));
    let rejected = |reason: RejectReason| row.rejected.get(&reason).copied().unwrap_or(0);
    record.extend(REJECTED.map(|(column, reason)| (column, number(Some(rejected(reason))))));
    record.push(("returned_count", number(Some(counters.returned_count))));
    let (busy, whole) = row.occupied.parts();
    record.push(("occupancy_ppm", ppm(busy, whole)));
    record.push(("target_percent", number(Some(row.measure().target_percent))));
    record.extend(resolution(row));
    record.extend(transfers(&row.handled));
    record
}

/// First contact resolution, with the window by which it is counted.
fn resolution(row: &QueueReportRow) -> Record {
    let (resolved, contacts) = row.resolution.parts();
    vec![
        ("fcr_window_days", number(row.asked.fcr_window_days)),
        ("fcr_contacts_count", number(Some(contacts))),
        ("fcr_resolved_count", number(Some(resolved))),
        ("fcr_ppm", ppm(resolved, contacts)),
        (
            "fcr_unknown_count",
            number(Some(row.resolution.unknown_count)),
        ),
        ("fcr_open_count", number(Some(row.resolution.open_count))),
    ]
}

/// Why calls were not let in, and their columns: together they are all of them.
const REJECTED: [(&str, RejectReason); 3] = [
    ("rejected_full_count", RejectReason::Full),
    ("rejected_closed_count", RejectReason::Closed),
    ("rejected_empty_count", RejectReason::Empty),
];

/// An agent in an interval.
pub fn agent(name: &str, row: &AgentReportRow) -> Record {
    let (busy, whole) = row.occupied_ms();
    let not_ready = |reason: NotReadyReason| row.not_ready_ms.get(&reason).copied().unwrap_or(0);
    let released = |reason: ReleaseReason| row.released_count.get(&reason).copied().unwrap_or(0);
    let mut record = vec![
        ("agent", text(Some(name))),
        ("start_at", Field::Time(Some(row.span.start))),
        ("end_at", Field::Time(Some(row.span.end))),
        ("logged_in_ms", number(Some(row.logged_in_ms))),
        ("ready_ms", number(Some(row.ready_ms))),
        ("reserved_ms", number(Some(row.reserved_ms))),
        ("ring_ms", number(Some(row.ring_ms))),
        ("contact_ms", number(Some(row.contact_ms))),
        ("wrap_up_ms", number(Some(row.wrap_up_ms))),
        (
            "not_ready_ms",
            number(Some(row.not_ready_ms.values().sum::<u64>())),
        ),
    ];
    record.extend(NOT_READY.map(|(column, reason)| (column, number(Some(not_ready(reason))))));
    record.extend([
        ("offers_count", number(Some(row.offers_count))),
        ("answered_count", number(Some(row.answered_count))),
    ]);
    record.extend(RELEASED.map(|(column, reason)| (column, number(Some(released(reason))))));
    record.push(("occupancy_ppm", ppm(busy, whole)));
    let (used, logged_in) = row.utilised_ms();
    record.push(("utilisation_ppm", ppm(used, logged_in)));
    let (let_ring, offers) = row.let_ring();
    record.push(("rona_ppm", ppm(let_ring, offers)));
    let handled = &row.handled;
    record.extend([
        ("handled_count", number(Some(handled.contacts_count))),
        ("talk_ms", number(Some(handled.talk_ms))),
        ("hold_ms", number(Some(handled.hold_ms))),
        ("handled_wrap_up_ms", number(Some(handled.wrap_up_ms))),
        ("aht_ms", number(handled.average_handling_ms())),
    ]);
    record.extend(transfers(handled));
    let (kept, scheduled) = row.adherence.parts();
    record.extend([
        ("scheduled_ms", number(Some(scheduled))),
        ("in_schedule_ms", number(Some(kept))),
        ("adherence_ppm", ppm(kept, scheduled)),
    ]);
    record
}

/// Contacts that were transferred, and their share of all that were handled.
fn transfers(handled: &Handled) -> [(&'static str, Field); 2] {
    let (transferred, all) = handled.transferred();
    [
        ("transferred_count", number(Some(transferred))),
        ("transfer_rate_ppm", ppm(transferred, all)),
    ]
}

/// Reasons and their columns: together they are all of them.
const NOT_READY: [(&str, NotReadyReason); 13] = [
    ("not_ready_login_ms", NotReadyReason::Login),
    ("not_ready_break_ms", NotReadyReason::Break),
    ("not_ready_meal_ms", NotReadyReason::Meal),
    ("not_ready_training_ms", NotReadyReason::Training),
    ("not_ready_meeting_ms", NotReadyReason::Meeting),
    ("not_ready_admin_work_ms", NotReadyReason::AdminWork),
    ("not_ready_rona_ms", NotReadyReason::Rona),
    ("not_ready_rejected_ms", NotReadyReason::Rejected),
    ("not_ready_busy_ms", NotReadyReason::Busy),
    ("not_ready_unreachable_ms", NotReadyReason::Unreachable),
    ("not_ready_system_error_ms", NotReadyReason::SystemError),
    ("not_ready_supervisor_ms", NotReadyReason::Supervisor),
    ("not_ready_other_ms", NotReadyReason::Other),
];

/// Ends of offers and their columns: together they are all of them.
const RELEASED: [(&str, ReleaseReason); 8] = [
    ("caller_gone_count", ReleaseReason::CallerGone),
    ("no_answer_count", ReleaseReason::NoAnswer),
    ("rejected_count", ReleaseReason::Rejected),
    ("busy_count", ReleaseReason::Busy),
    ("unreachable_count", ReleaseReason::Unreachable),
    ("superseded_count", ReleaseReason::Superseded),
    ("answered_elsewhere_count", ReleaseReason::AnsweredElsewhere),
    ("timed_out_count", ReleaseReason::TimedOut),
];

/// A trunk in one direction in an interval.
pub fn trunk(name: &str, row: &TrunkReportRow) -> Record {
    let figures = &row.figures;
    let (answered, seizures) = figures.answer_seizure_parts();
    let (effective, _) = figures.network_effectiveness_parts();
    vec![
        ("trunk", text(Some(name))),
        ("direction", word(row.direction)),
        ("start_at", Field::Time(Some(row.span.start))),
        ("end_at", Field::Time(Some(row.span.end))),
        ("seizures_count", number(Some(seizures))),
        ("answered_count", number(Some(answered))),
        ("busy_count", number(Some(figures.busy_count))),
        ("no_answer_count", number(Some(figures.no_answer_count))),
        ("rejected_count", number(Some(figures.rejected_count))),
        ("cancelled_count", number(Some(figures.cancelled_count))),
        ("failed_count", number(Some(figures.failed_count))),
        ("congestion_count", number(Some(figures.congestion_count))),
        ("asr_ppm", ppm(answered, seizures)),
        ("ner_ppm", ppm(effective, seizures)),
        ("talk_ms", number(Some(figures.talk_ms))),
        ("aloc_ms", number(figures.average_conversation_ms())),
        ("pdd_known_count", number(Some(figures.delays_count))),
        ("average_pdd_ms", number(figures.average_delay_ms())),
        ("longest_pdd_ms", number(figures.longest_delay_ms())),
    ]
}

/// Columns of callers who left.
pub const ABANDONED: [&str; 10] = [
    "queue",
    "number",
    "call_id",
    "opened_at",
    "closed_at",
    "wait_ms",
    "place",
    "offers_count",
    "answered_later_call_id",
    "answered_later_at",
];

/// A caller who left, and the call in which an agent was reached later, if there was one;
/// the number is missing when it is no longer kept.
pub fn abandoned(
    queue: &str,
    visit: &visits::Row,
    caller: Option<&str>,
    later: Option<&cdr::Row>,
) -> Record {
    vec![
        ("queue", text(Some(queue))),
        ("number", text(caller)),
        ("call_id", id(Some(visit.call))),
        ("opened_at", Field::Time(Some(visit.opened_at))),
        ("closed_at", Field::Time(visit.closed_at)),
        ("wait_ms", number(visit.wait_ms)),
        ("place", number(Some(visit.place))),
        ("offers_count", number(Some(visit.offers_count))),
        ("answered_later_call_id", id(later.map(|later| later.call))),
        (
            "answered_later_at",
            Field::Time(later.and_then(|later| later.agent_connected_at)),
        ),
    ]
}
