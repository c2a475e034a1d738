//! Trunks by direction and interval, from calls over real trunks: the project's phones are
//! the carriers.

use crate::{
    reports::{column, export, range, sum},
    support::{PATIENCE, caller, dial, incoming, records},
};
use anyhow::{Context as _, ensure};
use phone::{IncomingCall, OutgoingCall, Phone, PhoneOptions};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::{
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

/// A port that is free now.
fn free_port() -> anyhow::Result<u16> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// How long each carrier takes before it says anything: what a network does.
const SETS_UP: Duration = Duration::from_millis(120);

/// A trunk of that priority to a phone that plays the carrier, and from that network.
fn trunk(name: &str, allow: &str, port: u16, priority: u32) -> String {
    format!(
        "[[trunk]]\nname = \"{name}\"\nallow = [\"{allow}\"]\nhost = \"127.0.0.1:{port}\"\n\
         priority = {priority}\n\
         forwards = [{{ number = \"+493099{priority}\", to = \"+491701234567\" }}]\n"
    )
}

async fn carrier_at(server: &Server, port: u16) -> anyhow::Result<Phone> {
    let options = PhoneOptions {
        bind: SocketAddr::from(([127, 0, 0, 1], port)),
        ..PhoneOptions::new(server.sip, "carrier")
    };
    Ok(Phone::bind(options).await?)
}

/// What becomes of a call, at the carrier that gets it last.
enum Fate {
    Answered,
    Refused(u16),
    /// The caller hangs up while it rings.
    GivenUp,
    /// The first carrier is full, and the second one takes it.
    TakenBySecond,
}

const FATES: [Fate; 6] = [
    Fate::Answered,
    Fate::Refused(486),
    Fate::Refused(603),
    Fate::Refused(404),
    Fate::GivenUp,
    Fate::TakenBySecond,
];

/// The next call at a carrier, which has got so far with it.
async fn set_up(carrier: &Phone) -> anyhow::Result<IncomingCall> {
    let call = incoming(carrier).await?;
    tokio::time::sleep(SETS_UP).await;
    Ok(call)
}

async fn ends(out: &OutgoingCall, taken: &IncomingCall) -> anyhow::Result<()> {
    taken.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    taken.wait_ended(PATIENCE).await?;
    Ok(())
}

/// One call for each fate; the longest that a caller has waited for one, in milliseconds.
async fn calls(server: &Server, first: &Phone, second: &Phone) -> anyhow::Result<u64> {
    let mut longest = Duration::ZERO;
    for (index, fate) in FATES.iter().enumerate() {
        let phone = caller(server, &format!("493070{index}")).await?;
        let began = Instant::now();
        let out = dial(&phone, "+4930991").await?;
        let came = set_up(first).await?;
        match fate {
            Fate::Answered => {
                came.ring().await?;
                ends(&out, &came).await?;
            }
            Fate::Refused(status) => came.reject(*status).await?,
            Fate::GivenUp => {
                came.ring().await?;
                out.wait_ringing(PATIENCE).await?;
                out.cancel().await?;
            }
            Fate::TakenBySecond => {
                came.reject(503).await?;
                ends(&out, &set_up(second).await?).await?;
            }
        }
        out.wait_ended(PATIENCE).await?;
        longest = longest.max(began.elapsed());
        records(server, index + 1).await?;
    }
    Ok(longest.as_millis() as u64)
}

const REPORT: &str = "query Q($r: Range!, $ids: [ID!]!, $g: Granularity!) { trunkReport(range: $r, \
    trunkIds: $ids, granularity: $g, timeZone: \"Europe/Berlin\") { name direction start \
    seizuresCount answeredCount busyCount noAnswerCount rejectedCount cancelledCount failedCount \
    congestionCount asrPpm nerPpm talkMs alocMs pddKnownCount averagePddMs longestPddMs } }";

/// The rows of a trunk in one direction.
async fn reported(
    server: &Server,
    (name, direction): (&str, &str),
    granularity: &str,
) -> anyhow::Result<Value> {
    let trunks = "{ trunks(first: 5) { nodes { id } } }";
    let trunks = server.graphql(trunks, json!({})).await?;
    let ids = trunks["trunks"]["nodes"].as_array().context("trunks")?;
    let ids: Vec<_> = ids.iter().map(|trunk| trunk["id"].clone()).collect();
    let (from, until) = range();
    let variables = json!({"r": {"from": from, "until": until}, "ids": ids, "g": granularity});
    let answer = server.graphql(REPORT, variables).await?;
    let rows = answer["trunkReport"].as_array().context("rows")?.iter();
    let rows = rows.filter(|row| row["name"] == name && row["direction"] == direction);
    Ok(rows.cloned().collect())
}

/// Seizures, then answered, busy, no answer, rejected, cancelled, failed, congestion.
fn outcomes(rows: &Value) -> anyhow::Result<[u64; 8]> {
    let mut sums = [0; 8];
    let names = [
        "seizuresCount",
        "answeredCount",
        "busyCount",
        "noAnswerCount",
        "rejectedCount",
        "cancelledCount",
        "failedCount",
        "congestionCount",
    ];
    for (sum_of, name) in sums.iter_mut().zip(names) {
        *sum_of = sum(rows, |row| row[name].as_u64())?;
    }
    Ok(sums)
}

fn ms(value: &Value) -> Option<u64> {
    value.as_str()?.parse().ok()
}

/// What came in is what the records have, by trunk and disposition.
async fn what_came_in_is_on_record(server: &Server) -> anyhow::Result<()> {
    let rows = reported(server, ("-first", "INBOUND"), "QUARTER_HOUR").await?;
    ensure!(outcomes(&rows)? == [6, 2, 1, 1, 1, 0, 1, 0], "{rows:#}");
    ensure!(sum(&rows, |row| row["pddKnownCount"].as_u64())? == 0);
    let query = "{ cdrStats(filter: { directions: [INBOUND] }, groupBy: [TRUNK]) { callsCount \
                 answeredCount billableMs } }";
    let stats = server.graphql(query, json!({})).await?;
    let of_trunk = &stats["cdrStats"][0];
    ensure!(
        of_trunk["callsCount"] == 6 && of_trunk["answeredCount"] == 2,
        "{stats}"
    );
    let talked = sum(&rows, |row| ms(&row["talkMs"]))?;
    ensure!(ms(&of_trunk["billableMs"]) == Some(talked), "{stats}");
    Ok(())
}

/// What went out is what the legs have, and each ratio is of its own row.
async fn what_went_out_is_on_record(server: &Server) -> anyhow::Result<()> {
    let rows = reported(server, ("-first", "OUTBOUND"), "QUARTER_HOUR").await?;
    ensure!(outcomes(&rows)? == [6, 1, 1, 1, 1, 0, 1, 1], "{rows:#}");
    for row in rows.as_array().context("rows")? {
        let number = |name: &str| row[name].as_u64().unwrap_or(0);
        let effective = number("answeredCount")
            + number("busyCount")
            + number("noAnswerCount")
            + number("rejectedCount");
        let ratio = |part: u64| (part * 1_000_000).checked_div(number("seizuresCount"));
        ensure!(
            row["asrPpm"].as_u64() == ratio(number("answeredCount")),
            "{row}"
        );
        ensure!(row["nerPpm"].as_u64() == ratio(effective), "{row}");
        let talked = ms(&row["talkMs"]).context("talk")?;
        let mean = talked.checked_div(number("answeredCount"));
        ensure!(ms(&row["alocMs"]) == mean, "{row}");
        ensure!(
            row["averagePddMs"].is_null() == (number("pddKnownCount") == 0),
            "{row}"
        );
    }
    let other = reported(server, ("second", "OUTBOUND"), "QUARTER_HOUR").await?;
    ensure!(outcomes(&other)? == [1, 1, 0, 0, 0, 0, 0, 0], "{other:#}");
    let query = "{ cdrs(first: 10) { nodes { legs { role trunkId billableMs } } } }";
    let cdrs = server.graphql(query, json!({})).await?;
    let records = cdrs["cdrs"]["nodes"].as_array().context("records")?.iter();
    let legs = records.flat_map(|record| record["legs"].as_array().into_iter().flatten());
    let talked: u64 = legs
        .filter(|leg| !leg["trunkId"].is_null())
        .filter_map(|leg| ms(&leg["billableMs"]))
        .sum();
    let reported = [&rows, &other].map(|rows| sum(rows, |row| ms(&row["talkMs"])));
    let [first, second] = reported;
    ensure!(first? + second? == talked, "{talked} ms on the legs");
    Ok(())
}

/// Each carrier has taken its time, which is the delay that is told, and no more than the
/// caller has waited.
async fn the_delay_is_the_carriers(server: &Server, waited_ms: u64) -> anyhow::Result<()> {
    for (name, known) in [("-first", 6), ("second", 1)] {
        let rows = reported(server, (name, "OUTBOUND"), "DAY").await?;
        ensure!(
            sum(&rows, |row| row["pddKnownCount"].as_u64())? == known,
            "{rows:#}"
        );
        for row in rows.as_array().context("rows")? {
            let (mean, most) = (ms(&row["averagePddMs"]), ms(&row["longestPddMs"]));
            let Some((mean, most)) = mean.zip(most) else {
                continue;
            };
            let least = SETS_UP.as_millis() as u64;
            ensure!(least <= mean && mean <= most, "{row}");
            ensure!(most <= waited_ms, "{row}: the caller waited {waited_ms} ms");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_trunk_tells_its_seizures_and_their_delay_as_the_records_have_them() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    trunks_are_reported(Setup::new(folder.path(), "")).await
}

#[tokio::test]
async fn a_trunk_on_postgresql_tells_the_same() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = store::testing::database().await;
    let mut setup = Setup::new(folder.path(), "");
    setup.store_url = Some(database.url().into());
    trunks_are_reported(setup).await
}

async fn trunks_are_reported(mut setup: Setup) -> anyhow::Result<()> {
    let (first, second) = (free_port()?, free_port()?);
    setup.provisioning =
        trunk("-first", "127.0.0.0/8", first, 1) + &trunk("second", "192.0.2.0/24", second, 2);
    let server = Server::start(&setup).await?;
    let carriers = (
        carrier_at(&server, first).await?,
        carrier_at(&server, second).await?,
    );
    let waited_ms = calls(&server, &carriers.0, &carriers.1).await?;
    what_came_in_is_on_record(&server).await?;
    what_went_out_is_on_record(&server).await?;
    the_delay_is_the_carriers(&server, waited_ms).await?;
    // Beside the server, as a file that a spreadsheet may open.
    let file = export(&setup, "trunk-report", &["--interval", "hour"]).await?;
    ensure!(column(&file, "seizures_count")? == 13, "{file}");
    ensure!(column(&file, "congestion_count")? == 1, "{file}");
    ensure!(file.contains("\n\"'-first\",inbound,"), "{file}");
    let one = export(&setup, "trunk-report", &["--trunk", "second"]).await?;
    ensure!(column(&one, "seizures_count")? == 1, "{one}");
    server.stop().await
}
