//! The annex of an invoice, against what went over the wire: each leg that went out is
//! there with the number that was dialled, and who was forgotten is not.

use crate::{invoice_log::Seen, support::command_id, support::mutate};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::Server;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How often a number stands in the annexes, of legs that went out.
type Numbers = BTreeMap<String, usize>;

const NUMBER: usize = 8;
const USAGE_TYPE: usize = 4;
const ENDED_AT_UTC: usize = 7;

/// A person's number as others see it.
fn masked(number: &str) -> String {
    format!("{}***", &number[..number.len() - 3])
}

/// The numbers of legs that went out, in all annexes; and how many came in.
async fn annexes(server: &Server, issued: &Value) -> anyhow::Result<(Numbers, usize)> {
    let (mut numbers, mut inbound) = (Numbers::new(), 0);
    for invoice in issued.as_array().context("invoices")? {
        let path = invoice["documentPath"].as_str().context("a path")?;
        let (status, file) = server.get(&format!("{path}.csv")).await?;
        ensure!(status == 200, "{status}: {file}");
        let mut lines = file.split_terminator("\r\n");
        let header: Vec<_> = lines.next().context("a header")?.split(',').collect();
        ensure!(header[NUMBER] == "number", "{header:?}");
        ensure!(header[USAGE_TYPE] == "usage_type", "{header:?}");
        ensure!(header[ENDED_AT_UTC] == "ended_at_utc", "{header:?}");
        for line in lines {
            let cells: Vec<_> = line.split(',').collect();
            // No spreadsheet takes it for a formula.
            let number = cells[NUMBER].trim_matches('"').trim_start_matches('\'');
            if cells[USAGE_TYPE] == "inbound_minutes" {
                ensure!(number.ends_with("***"), "a caller's number: {line}");
                inbound += 1;
            } else {
                *numbers.entry(number.to_owned()).or_default() += 1;
            }
        }
    }
    Ok((numbers, inbound))
}

/// Of every leg that the carrier saw answered there is a line: a number of the
/// configuration as it was dialled, that of whoever was rung back without its end.
pub(crate) async fn names_what_was_dialled(
    server: &Server,
    issued: &Value,
    (callers, carried): (&[Seen], &[Seen]),
    back: &[&str],
) -> anyhow::Result<()> {
    let mut expected = Numbers::new();
    for seen in carried {
        if seen.seconds()?.is_none() {
            continue;
        }
        let number = match back.contains(&seen.number.as_str()) {
            true => masked(&seen.number),
            false => seen.number.clone(),
        };
        *expected.entry(number).or_default() += 1;
    }
    let answered = callers.iter().map(Seen::seconds);
    let answered = answered.collect::<anyhow::Result<Vec<_>>>()?;
    let answered = answered.into_iter().flatten().count();
    let told = annexes(server, issued).await?;
    ensure!(
        told == (expected.clone(), answered),
        "{told:#?}\n{expected:#?}"
    );

    // Who was rung back is forgotten; what it cost stays.
    let erased = back.first().context("somebody")?;
    let erasure = json!({
        "commandId": command_id(90), "number": erased, "reason": "CONSENT_WITHDRAWN",
    });
    mutate(server, "eraseSubject", "subject { id state }", erasure).await?;
    let query = format!("{{ subject(number: \"{erased}\") {{ state }} }}");
    let is_erased = |answer: &Value| answer["subject"]["state"] == "ERASED";
    server.until(&query, is_erased).await?;
    let count = expected.remove(&masked(erased)).context("it was there")?;
    expected.insert(String::new(), count);
    let told = annexes(server, issued).await?;
    ensure!(
        told == (expected.clone(), answered),
        "{told:#?}\n{expected:#?}"
    );
    Ok(())
}
