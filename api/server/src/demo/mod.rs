//! `ringledger demo`: the product at work on one machine, with nothing to
//! install. A server on a temporary store, two agents and five callers that
//! are real SIP and RTP endpoints on loopback, a live board, and at the end
//! the record of what happened.

mod board;
mod table;

pub(crate) use board::say;

use crate::{
    compose::Server,
    config::{Config, LogSection, Secret},
    provision::{AgentEntry, QueueEntry},
    reload, telemetry,
};
use anyhow::{Context as _, ensure};
use domain::{call::AnswerMode, cause::Disposition};
use phone::{AgentScript, CallOptions, Phone, PhoneOptions};
use projections::{agent_states, cdr, page::Page};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet};

const QUEUE: &str = "support";
const AGENTS: [(&str, f64); 2] = [("anna", 440.0), ("ben", 660.0)];
const CALLERS: [&str; 5] = [
    "+4930100001",
    "+4930100002",
    "+4930100003",
    "+4930100004",
    "+4930100005",
];
/// What callers say.
const CALLER_TONE_HZ: f64 = 880.0;
/// Short, so that the demo is.
const WRAP_UP_MS: u64 = 1_000;
/// How long an agent's phone rings before the agent picks up.
const RING_MS: u64 = 300;
/// Registration of the demo's phones.
const EXPIRES_S: u32 = 600;
/// The demo takes seconds; this bounds it on a machine in trouble.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the demo: exit code 0 when all five calls were answered, three by one
/// agent and two by the other, and nothing is left open.
///
/// # Errors
/// When a part can not start, or the record is not what it must be.
pub async fn run(talk_ms: u64, plain: bool) -> anyhow::Result<ExitCode> {
    telemetry::start_logs(&LogSection {
        filter: "error".into(),
        ..LogSection::default()
    })?;
    let metrics = telemetry::start_metrics()?;
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let config = config();
    let source = reload::fixed(config.clone());
    let server = Server::start(config, source, folder.path(), metrics).await?;
    board::say(&format!(
        "server on {}, store in {}",
        server.sip_addr(),
        folder.path().display()
    ));
    let outcome = tokio::time::timeout(PATIENCE, show(&server, talk_ms, plain))
        .await
        .context("the demo took too long")?;
    server.stop().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

fn config() -> Config {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let any_port = SocketAddr::new(loopback, 0);
    let mut config = Config::default();
    config.sip.listen = any_port;
    config.http.listen = any_port;
    config.media.listen = loopback;
    config.queues = vec![QueueEntry {
        ring_timeout_ms: 10_000,
        wrap_up_ms: WRAP_UP_MS,
        answer_mode: AnswerMode::Immediate,
        max_wait_ms: 0,
        capacity: 100,
        service_level_threshold_ms: 5_000,
        ..QueueEntry::named(QUEUE)
    }];
    config.agents = AGENTS
        .iter()
        .map(|(name, _)| AgentEntry {
            name: (*name).into(),
            password: Secret(format!("{name}-secret")),
            queues: vec![QUEUE.into()],
            ready_on_register: true,
            registration_grace_ms: None,
            skills: vec![],
            places: vec![],
            capacity: 1,
        })
        .collect();
    config
}

async fn show(server: &Server, talk_ms: u64, plain: bool) -> anyhow::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let (board_stop, board_stopped) = watch::channel(false);
    let mut agents = JoinSet::new();
    for (name, tone_hz) in AGENTS {
        agents.spawn(take_calls(
            register(server, name).await?,
            tone_hz,
            stopped.clone(),
        ));
    }
    until(server, || async {
        ready_agents(server)
            .await
            .map(|count| count == AGENTS.len())
    })
    .await?;
    let board = tokio::spawn(board::run(
        server.views().clone(),
        server.directory().clone(),
        board_stopped,
        plain,
    ));
    let mut callers = JoinSet::new();
    for number in CALLERS {
        let phone = Phone::bind(PhoneOptions::new(server.sip_addr(), number)).await?;
        callers.spawn(call(server.views().clone(), phone, talk_ms));
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    until(server, || async {
        ended(server).await.map(|count| count == CALLERS.len())
    })
    .await?;
    until(server, || async {
        ready_agents(server)
            .await
            .map(|count| count == AGENTS.len())
    })
    .await?;
    board_stop.send_replace(true);
    board.await?;
    stop.send_replace(true);
    while let Some(stats) = agents.join_next().await {
        ensure!(stats?.overlaps() == 0, "an agent had two calls at once");
    }
    conclude(server).await
}

/// An agent's phone, registered.
async fn register(server: &Server, name: &str) -> anyhow::Result<Phone> {
    let options =
        PhoneOptions::new(server.sip_addr(), name).with_password(format!("{name}-secret"));
    let phone = Phone::bind(options).await?;
    phone
        .register(EXPIRES_S)
        .await
        .with_context(|| format!("{name} can not register"))?;
    Ok(phone)
}

/// One agent: picks up, speaks a tone, waits until the caller hangs up.
async fn take_calls(
    phone: Phone,
    tone_hz: f64,
    mut stopped: watch::Receiver<bool>,
) -> phone::AgentStats {
    let script = AgentScript {
        ring_ms: RING_MS,
        tone_hz: Some(tone_hz),
        ..AgentScript::default()
    };
    let until = async move {
        // The sender lives as long as the demo.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let stats = phone.run_agent(script, until).await;
    // The server goes away with the demo in any case.
    let _ = phone.unregister().await;
    stats
}

/// One caller: waits with music, talks to an agent for a while, hangs up.
async fn call(views: projections::views::Views, phone: Phone, talk_ms: u64) -> anyhow::Result<()> {
    let call = phone.call(QUEUE, CallOptions::default()).await?;
    call.wait_answered(PATIENCE).await?;
    call.media().play_tone(CALLER_TONE_HZ, 0.25);
    // The caller hears the agent when the record says that they are connected.
    let sip_call_id = call.call_id().to_owned();
    loop {
        let mut changes = views.subscribe();
        if is_connected(&views, &sip_call_id).await? {
            break;
        }
        // Lagging or not: the tables are looked at again.
        let _ = tokio::time::timeout(Duration::from_millis(200), changes.recv()).await;
    }
    tokio::time::sleep(Duration::from_millis(talk_ms)).await;
    call.hang_up().await?;
    Ok(())
}

async fn is_connected(
    views: &projections::views::Views,
    sip_call_id: &str,
) -> anyhow::Result<bool> {
    let filter = projections::live_calls::Filter::default();
    let live = views.live_calls(&filter, &Page::First(100, None)).await?;
    Ok(live
        .rows
        .iter()
        .any(|(_, row)| row.sip_call_id == sip_call_id && row.agent_connected_at.is_some()))
}

/// Waits until the read models say so.
async fn until<F, W>(server: &Server, mut condition: F) -> anyhow::Result<()>
where
    F: FnMut() -> W,
    W: Future<Output = anyhow::Result<bool>>,
{
    let mut progress = server.views().watch();
    while !condition().await? {
        progress.changed().await?;
    }
    Ok(())
}

async fn ready_agents(server: &Server) -> anyhow::Result<usize> {
    let agents = server
        .views()
        .agents(&agent_states::Filter::default(), &Page::First(100, None))
        .await?;
    Ok(agents
        .rows
        .iter()
        .filter(|(_, row)| board::is_free(row))
        .count())
}

async fn ended(server: &Server) -> anyhow::Result<usize> {
    Ok(cdrs(server).await?.len())
}

async fn cdrs(server: &Server) -> anyhow::Result<Vec<cdr::Row>> {
    let page = server
        .views()
        .cdrs(&cdr::Filter::default(), &Page::First(100, None))
        .await?;
    let mut rows: Vec<cdr::Row> = page.rows.into_iter().map(|(_, row)| row).collect();
    rows.sort_by_key(|row| row.agent_connected_at);
    Ok(rows)
}

/// Prints the record, and checks that it is what a call centre must deliver.
async fn conclude(server: &Server) -> anyhow::Result<()> {
    let rows = cdrs(server).await?;
    let directory = server.directory();
    let name = |row: &cdr::Row| {
        row.agent
            .and_then(|agent| directory.agent(agent))
            .map_or_else(String::new, |entry| entry.name.clone())
    };
    for line in table::lines(&rows, name) {
        board::say(&line);
    }
    let mut shares: Vec<(String, usize)> = AGENTS
        .iter()
        .map(|(agent, _)| {
            (
                (*agent).into(),
                rows.iter().filter(|row| name(row) == *agent).count(),
            )
        })
        .collect();
    let shown: Vec<String> = shares
        .iter()
        .map(|(agent, count)| format!("{agent} {count}"))
        .collect();
    board::say(&format!("\ndistribution: {}", shown.join(", ")));
    board::say(&format!("events on the record: {}", server.feed().head()));
    shares.sort_by_key(|(_, count)| *count);
    let counts: Vec<usize> = shares.iter().map(|(_, count)| *count).collect();
    ensure!(
        rows.len() == CALLERS.len(),
        "there are {} records, not {}",
        rows.len(),
        CALLERS.len()
    );
    ensure!(
        rows.iter().all(|row| row
            .end
            .as_ref()
            .is_some_and(|end| end.disposition == Disposition::Answered)),
        "not every call was answered"
    );
    ensure!(
        counts == [2, 3],
        "the distribution is {counts:?}, not 2 and 3"
    );
    Ok(())
}
