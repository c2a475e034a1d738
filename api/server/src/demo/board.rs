//! The live board in a terminal: who waits, who talks to whom.

use commands::directory::Directory;
use domain::time::Timestamp;
use projections::{
    agent_states::{self, State},
    live_calls,
    page::Page,
    views::Views,
};
use std::{
    io::{IsTerminal as _, Write as _},
    time::Duration,
};
use tokio::sync::watch;

/// The board is drawn at most this often.
const REDRAW: Duration = Duration::from_millis(100);
/// Rows of each kind on the board.
const ROWS_MAX: usize = 50;

/// Prints a line. A closed pipe ends the demo's output, not the demo.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Whether an agent could take a call now.
pub(super) fn is_free(row: &agent_states::Row) -> bool {
    row.state() == State::Ready
}

/// Draws the board whenever something has changed, until `stopped`.
pub(super) async fn run(
    views: Views,
    directory: Directory,
    mut stopped: watch::Receiver<bool>,
    plain: bool,
) {
    let redraws = !plain && std::io::stdout().is_terminal();
    let mut shown: Vec<String> = vec![];
    let mut progress = views.watch();
    loop {
        if let Ok(lines) = draw(&views, &directory).await
            && lines != shown
        {
            show(&lines, shown.len(), redraws);
            shown = lines;
        }
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => return,
            changed = progress.changed() => if changed.is_err() { return },
        }
        tokio::time::sleep(REDRAW).await;
    }
}

fn show(lines: &[String], drawn_count: usize, redraws: bool) {
    if redraws && drawn_count > 0 {
        // Up to the first line of the last board, and clear below.
        let _ = write!(std::io::stdout(), "\x1b[{drawn_count}A\x1b[J");
    }
    for line in lines {
        say(line);
    }
}

async fn draw(
    views: &Views,
    directory: &Directory,
) -> Result<Vec<String>, projections::views::ViewError> {
    let page = Page::First(ROWS_MAX, None);
    let agents = views
        .agents(&agent_states::Filter::default(), &page)
        .await?;
    let calls = views
        .live_calls(&live_calls::Filter::default(), &page)
        .await?;
    let mut lines = vec![String::new(), "agent     state".into()];
    for (_, row) in &agents.rows {
        lines.push(format!("{:<9} {}", row.name, agent_words(row)));
    }
    lines.push("caller        state       agent".into());
    let mut rows: Vec<&live_calls::Row> = calls.rows.iter().map(|(_, row)| row).collect();
    rows.sort_by_key(|row| (row.received_at, row.call));
    for row in rows {
        let agent = row.agent.and_then(|agent| directory.agent(agent));
        lines.push(format!(
            "{:<13} {:<11} {}",
            row.caller
                .party
                .as_ref()
                .map_or("-", |party| party.user.as_str()),
            format!("{:?}", row.state).to_lowercase(),
            agent.map_or_else(|| "-".into(), |entry| entry.name.clone()),
        ));
    }
    Ok(lines)
}

fn agent_words(row: &agent_states::Row) -> &'static str {
    match row.state() {
        State::LoggedOut => "logged out",
        State::NotReady => "not ready",
        State::Ready => "ready",
        State::Reserved => "reserved",
        State::Ringing => "ringing",
        State::OnContact => "on contact",
        State::WrapUp => "wrap-up",
    }
}

/// Seconds with one digit, from milliseconds.
pub(super) fn seconds(ms: u64) -> String {
    format!("{}.{}", ms / 1_000, ms % 1_000 / 100)
}

/// The time of day, for a table.
pub(super) fn clock(at: Timestamp) -> String {
    at.to_string().get(11..19).unwrap_or_default().to_owned()
}
