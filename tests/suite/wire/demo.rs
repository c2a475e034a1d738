//! `ringledger demo`: what a newcomer sees first.

use crate::support::run;
use anyhow::{Context as _, ensure};

#[tokio::test]
async fn the_demo_ends_with_five_answered_calls_shared_three_to_two_and_exit_code_0()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let ran = run(&["demo", "--plain", "--talk-ms", "700"], &[], folder.path()).await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let records: Vec<_> = ran
        .out
        .lines()
        .filter(|line| line.contains(" ANSWERED "))
        .collect();
    ensure!(records.len() == 5, "{}", ran.out);
    for number in 1..=5 {
        let caller = format!("+493010000{number}");
        ensure!(
            records.iter().any(|line| line.contains(&caller)),
            "{caller}: {}",
            ran.out
        );
    }
    let split = ran
        .out
        .lines()
        .find(|line| line.starts_with("distribution:"));
    let split = split.context("no distribution")?;
    ensure!(
        ["distribution: anna 3, ben 2", "distribution: anna 2, ben 3"].contains(&split),
        "{split}"
    );
    let count = ran
        .out
        .lines()
        .find_map(|line| line.strip_prefix("events on the record: "));
    let count: u64 = count.context("no count of events")?.trim().parse()?;
    // Each call alone is eight events.
    ensure!(count >= 40, "{count} events");
    ensure!(
        std::fs::read_dir(folder.path())?.next().is_none(),
        "it left something here"
    );
    Ok(())
}
