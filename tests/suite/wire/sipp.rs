//! SIPp, as caller and as carrier: started in a folder, bounded, and heard when
//! it fails.

use anyhow::{Context as _, ensure};
use std::{path::Path, process::Stdio, time::Duration};
use tokio::process::Command;

/// SIPp gives up by itself before whoever waits for it does.
const SPARE: Duration = Duration::from_secs(10);

/// SIPp with a scenario, which is written into the folder as `NAME.xml`, for so
/// many calls. What is added says whom it calls, or where it listens.
pub(crate) fn sipp(
    folder: &Path,
    name: &str,
    scenario: &str,
    calls: usize,
    within: Duration,
) -> anyhow::Result<Command> {
    let path = folder.join(format!("{name}.xml"));
    std::fs::write(&path, scenario)?;
    let mut command = Command::new("sipp");
    let seconds = within.saturating_sub(SPARE).as_secs();
    command
        .arg("-sf")
        .arg(path)
        .args(["-i", "127.0.0.1", "-m", &calls.to_string(), "-nostdin"])
        .args(["-timeout", &format!("{seconds}s"), "-timeout_error"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

/// Runs it to its end, within that time; all of its calls must succeed.
pub(crate) async fn succeeds(
    who: &str,
    mut command: Command,
    within: Duration,
) -> anyhow::Result<()> {
    let output = tokio::time::timeout(within, command.output());
    let output = output.await.context("SIPp takes too long")??;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{who}: {} {said}", output.status);
    Ok(())
}
