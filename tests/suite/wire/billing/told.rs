//! What the record says of the money, and whether it is right.

use super::seed::open;
use anyhow::ensure;
use commands::{feed::understand, ports::Position};
use domain::{
    any::AnyEvent,
    billing::{Document, Event, LineKind, account, invoice, rating, series, usage},
    id::{CallId, InvoiceId},
    money::Decimal,
};
use ringledger_tests::server::Setup;
use std::collections::{BTreeMap, BTreeSet};

/// What the record says of the money.
#[derive(Default)]
pub(super) struct Told {
    rated: BTreeMap<CallId, u32>,
    pub(super) recorded: BTreeSet<usage::RecordKey>,
    rated_sum: Decimal,
    recorded_sum: Decimal,
    lines_rated: Decimal,
    lines_due: Decimal,
    numbers: Vec<(u64, InvoiceId)>,
    issued: BTreeMap<InvoiceId, String>,
    posted: BTreeMap<InvoiceId, u32>,
    unrated: u32,
    doubled: u32,
}

impl Told {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Rating(call, rating::Event::Rated { bill, .. }) => {
                *self.rated.entry(*call).or_default() += 1;
                let sum: Decimal = bill.records.iter().map(|record| record.amount).sum();
                self.rated_sum = self.rated_sum + sum;
            }
            Event::Rating(_, rating::Event::Unrated { .. }) => self.unrated += 1,
            Event::Usage(_, usage::Event::Recorded { record }) => {
                self.doubled += u32::from(!self.recorded.insert(record.key()));
                self.recorded_sum = self.recorded_sum + record.amount;
            }
            Event::Invoice(id, invoice::Event::Issued { number, .. }) => {
                let before = self.issued.insert(*id, number.clone());
                self.doubled += u32::from(before.is_some());
            }
            Event::Invoice(_, invoice::Event::Drafted { lines, .. }) => {
                for line in lines {
                    if let LineKind::Usage { rated, .. } = &line.kind {
                        self.lines_rated = self.lines_rated + *rated;
                        self.lines_due = self.lines_due + line.exact;
                    }
                }
            }
            Event::Series(
                _,
                series::Event::NumberIssued {
                    document: Document::Invoice(id),
                    number,
                    ..
                },
            ) => self.numbers.push((*number, *id)),
            Event::Account(_, account::Event::ChargePosted { invoice, .. }) => {
                *self.posted.entry(*invoice).or_default() += 1;
            }
            _ => {}
        }
    }
}

pub(super) async fn read(setup: &Setup) -> anyhow::Result<Told> {
    let books = open(setup).await?;
    let mut told = Told::default();
    let mut position = Position::default();
    loop {
        let page = books.log.read_all(position, 1_000).await?;
        if page.events.is_empty() {
            break;
        }
        position = page.next;
        for recorded in page.events {
            if let AnyEvent::Billing(event) = &understand(recorded)?.fact.event {
                told.hear(event);
            }
        }
    }
    books.close().await?;
    Ok(told)
}

pub(super) async fn check(setup: &Setup, accounts: u32, calls: usize) -> anyhow::Result<()> {
    let told = read(setup).await?;
    let invoices = usize::try_from(accounts)?;
    ensure!(told.unrated == 0, "{} calls have no price", told.unrated);
    ensure!(told.doubled == 0, "{} facts are there twice", told.doubled);
    ensure!(
        told.rated.len() == calls,
        "{} of {calls} rated",
        told.rated.len()
    );
    ensure!(told.rated.values().all(|times| *times == 1), "rated twice");
    ensure!(
        told.recorded.len() == calls,
        "{} recorded",
        told.recorded.len()
    );
    ensure!(told.rated_sum > Decimal::ZERO, "nothing costs anything");
    ensure!(
        told.rated_sum == told.recorded_sum,
        "usage is not what was rated"
    );
    ensure!(
        told.lines_rated == told.rated_sum,
        "lines are not what was rated"
    );
    ensure!(
        told.lines_due == told.rated_sum,
        "lines are not what is due"
    );
    ensure!(
        told.issued.len() == invoices,
        "{} issued",
        told.issued.len()
    );
    ensure!(
        told.posted.len() == invoices,
        "{} posted",
        told.posted.len()
    );
    ensure!(
        told.posted.values().all(|times| *times == 1),
        "posted twice"
    );
    let numbers: Vec<u64> = told.numbers.iter().map(|(number, _)| *number).collect();
    let expected: Vec<u64> = (1..=u64::try_from(invoices)?).collect();
    ensure!(
        numbers == expected,
        "numbers have a gap or a double: {numbers:?}"
    );
    for (number, invoice) in &told.numbers {
        let written = told.issued.get(invoice);
        ensure!(
            written == Some(&format!("INV-{number:08}")),
            "{number} is lost"
        );
    }
    Ok(())
}
