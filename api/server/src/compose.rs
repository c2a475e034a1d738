//! Builds every part and connects them. Read from top to bottom: that is the
//! order in which a node comes alive.

use crate::{
    config::{Config, WebhookEntry},
    figures::Figures,
    keeper::{Keeper, Standing, Terms},
    leader::Leader,
    media_port::MediaPort,
    provision::Provisioner,
    recordings, recovery,
    reload::{self, Source},
    token,
};
use anyhow::Context as _;
use commands::{
    bookkeeping::Bookkeeping,
    directory::Directory,
    feed::Feed,
    gateway::Gateway,
    invoice_run,
    outbox::Outbox,
    ports::{Clock, Entropy, Position, Vault},
    processes::Means,
    rater::Rater,
    roster::Roster,
    system::{SystemClock, SystemEntropy},
    writer::Writer,
};
use domain::id::DEFAULT_TENANT;
use graphql::{Check, Probes, Services, Settings, Webhook};
use metrics_exporter_prometheus::PrometheusHandle;
use projections::views::Views;
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use store::Stores;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// Time for the farewells of a node that was fenced.
const FAREWELL: Duration = Duration::from_secs(2);

/// A running node.
pub struct Server {
    sip: sip::driver::Handle,
    http: SocketAddr,
    relay: media::Relay,
    record: Record,
    views: Views,
    leader: Leader,
    projections: Option<projections::Running>,
    media_stop: Option<oneshot::Sender<()>>,
    tasks: Vec<JoinHandle<()>>,
    shutdown: CancellationToken,
    new_token: Option<String>,
    recovered_count: usize,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

/// The write side of a node.
struct Record {
    stores: Stores,
    /// The last sign of life of the run before.
    dead: Option<store::Heartbeat>,
    roster: Roster,
    gateway: Gateway,
    feed: Feed,
    directory: Directory,
    books: Bookkeeping,
    rater: Rater,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// Keeps the lease as long as it is held.
type Keeping = AbortOnDropHandle<Standing>;

impl Record {
    async fn open(
        config: &Config,
        data: &Path,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<(Self, Keeping)> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::default());
        let url = config.store_url(data);
        let name = &config.node.name;
        let stores = store::join(&url, name)
            .await
            .context("store can not be opened")?;
        let dead = recovery::last_sign(&stores)
            .await
            .context("last sign of life can not be read")?;
        let terms = Terms {
            name: name.clone(),
            lease: Duration::from_millis(config.node.lease_ms),
        };
        let keeper = Keeper::join(stores.nodes.clone(), clock.clone(), terms)
            .await
            .context("no run number")?;
        let roster = keeper.roster().clone();
        // From now on: a start may take longer than a lease.
        let keeping = AbortOnDropHandle::new(tokio::spawn(keeper.keep(shutdown.clone())));
        let node_epoch = roster.node_epoch();
        let (writer, feed) = Writer::start(stores.log.clone(), clock.clone()).await?;
        let gateway = Gateway::with_snapshots(
            stores.log.clone(),
            writer,
            entropy.clone(),
            node_epoch,
            stores.read.clone(),
        );
        let directory = Directory::kept(feed.clone(), stores.read.clone()).await?;
        let books = Bookkeeping::kept(feed.clone(), stores.read.clone()).await?;
        let rater = Rater::new(
            books.clone(),
            feed.clone(),
            stores.log.clone(),
            stores.vault.clone(),
        );
        gateway.rate_with(rater.clone());
        let record = Self {
            stores,
            dead,
            roster,
            gateway,
            feed,
            directory,
            books,
            rater,
            clock,
            entropy,
        };
        Ok((record, keeping))
    }

    /// What must follow from the record: recovery first, then the processes.
    fn leader(&self, alarm: CancellationToken) -> Leader {
        let means = Means {
            gateway: self.gateway.clone(),
            feed: self.feed.clone(),
            store: self.stores.read.clone(),
            clock: self.clock.clone(),
        };
        let (nodes, roster) = (self.stores.nodes.clone(), self.roster.clone());
        Leader::new(means, nodes, roster, self.dead, alarm)
    }

    /// Tells the other nodes where this one is.
    async fn announce(&self, sip: SocketAddr, http: SocketAddr) -> anyhow::Result<()> {
        let node_epoch = self.roster.node_epoch();
        let announced = self.stores.nodes.announce(node_epoch, sip, http).await;
        announced.context("other nodes can not be told")
    }

    /// Tells the other nodes that this one is gone, so that they need not wait.
    async fn leave(&self) {
        let node_epoch = self.roster.node_epoch();
        let now = self.clock.now();
        if let Err(error) = self.stores.nodes.leave(node_epoch, now).await {
            tracing::warn!(%error, "other nodes will take this one for lost");
        }
    }

    /// What people see of the record.
    async fn start_projections(&self) -> anyhow::Result<projections::Running> {
        let means = projections::Means {
            feed: self.feed.clone(),
            read: self.stores.read.clone(),
            vault: self.stores.vault.clone(),
        };
        projections::start_on(means, self.roster.clone())
            .await
            .context("read models can not start")
    }

    /// Applies the configuration; returns the token, if one was made.
    async fn provision(&self, config: &Config) -> anyhow::Result<Option<String>> {
        let provisioner = self.provisioner(config);
        provisioner.apply(config).await.context("configuration")?;
        let secrets = self.stores.secrets.as_ref();
        token::ensure(secrets, self.entropy.as_ref(), config.http.token.as_ref())
            .await
            .context("API token")
    }

    fn provisioner(&self, config: &Config) -> Provisioner {
        Provisioner {
            gateway: self.gateway.clone(),
            directory: self.directory.clone(),
            secrets: self.stores.secrets.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            realm: config.sip.realm.clone(),
        }
    }

    /// What carries erasures out.
    fn eraser_tools(&self, views: &Views) -> projections::eraser::Tools {
        projections::eraser::Tools {
            feed: self.feed.clone(),
            vault: self.stores.vault.clone(),
            read: self.stores.read.clone(),
            views: views.clone(),
        }
    }

    fn media_means(&self, relay: &media::Relay) -> media::driver::Means {
        media::driver::Means {
            relay: relay.clone(),
            feed: self.feed.clone(),
            gateway: self.gateway.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            vault: self.stores.vault.clone(),
            recordings: self.stores.recordings.clone(),
        }
    }

    fn sip_parts(&self, relay: &media::Relay, head: Position) -> sip::driver::Parts {
        sip::driver::Parts {
            gateway: self.gateway.clone(),
            feed: self.feed.clone(),
            head,
            directory: self.directory.clone(),
            vault: self.stores.vault.clone(),
            store: self.stores.read.clone(),
            secrets: self.stores.secrets.clone(),
            media: Arc::new(MediaPort(relay.clone())),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            roster: self.roster.clone(),
        }
    }

    /// What is on its way to systems outside.
    fn outbox(&self) -> Outbox {
        Outbox::new(self.stores.read.clone())
    }

    fn services(&self, views: &Views, config: &Config, settings: Settings) -> Services {
        let shown = |entry: &WebhookEntry| Webhook {
            name: entry.name.clone(),
            url: entry.url.clone(),
            events: entry.events.clone(),
        };
        Services {
            settings,
            outbox: self.outbox(),
            webhooks: config.webhooks.iter().map(shown).collect(),
            gateway: self.gateway.clone(),
            directory: self.directory.clone(),
            roster: self.roster.clone(),
            views: views.clone(),
            rater: self.rater.clone(),
            owning: Arc::default(),
            invoicing: invoice_run::Means {
                gateway: self.gateway.clone(),
                books: self.books.clone(),
                feed: self.feed.clone(),
                log: self.stores.log.clone(),
                store: self.stores.read.clone(),
                clock: self.clock.clone(),
                actor: String::new(),
            },
            secrets: self.stores.secrets.clone(),
            vault: self.stores.vault.clone(),
            recordings: self.stores.recordings.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            realm: config.sip.realm.clone(),
            tenant: DEFAULT_TENANT,
            options: graphql::Options::default(),
        }
    }
}

impl Server {
    /// Opens the store, ends what a dead run left behind, applies the
    /// configuration, and then opens the doors.
    ///
    /// # Errors
    /// Names the part that can not start and why.
    pub async fn start(
        config: Config,
        source: Source,
        data: &Path,
        metrics: PrometheusHandle,
    ) -> anyhow::Result<Self> {
        // Cancelled to stop, and by any part that can not go on.
        let shutdown = CancellationToken::new();
        let (record, keeping) = Record::open(&config, data, &shutdown).await?;
        let leader = record.leader(shutdown.clone());
        // Effects start here: what an earlier run has done or left undone is not done
        // again, but what this one does before the network is there is not missed.
        let head = record.feed.head();
        let recovered_count = leader.take_up().await.context("recovery")?;
        let projections = record.start_projections().await?;
        let views = projections.views();
        let new_token = record.provision(&config).await?;

        // The network: media, SIP, HTTP.
        let (relay, media_events) = media::Relay::start(&config.media, record.entropy.clone())?;
        let (pairs, calls_max) = (relay.pairs(), config.sip.calls_max);
        if pairs < calls_max.saturating_mul(2) {
            tracing::info!(
                pairs,
                calls_max,
                "so many calls can not all talk: some callers will find no RTP port"
            );
        }
        let (media_stop, media_stopped) = oneshot::channel();
        let media_means = record.media_means(&relay);
        let media_driver = media::driver::run(media_means, media_events, head, media_stopped);
        let sip = sip::driver::start(
            config.sip.clone(),
            record.sip_parts(&relay, head),
            shutdown.clone(),
        )
        .await
        .context("SIP can not start")?;
        let listener = TcpListener::bind(config.http.listen)
            .await
            .with_context(|| format!("HTTP can not listen on {}", config.http.listen))?;
        let http = listener.local_addr()?;
        let peer = config.node.sip.unwrap_or_else(|| sip.peer_addr());
        record.announce(peer, http).await?;
        let probes = probes(&record.stores, &views, &sip, metrics);
        let settings = reload::settings(record.provisioner(&config), config.clone(), source);
        let services = record.services(&views, &config, settings.clone());
        let router = graphql::router(services, probes);

        let mut server = Self {
            sip,
            http,
            relay,
            views,
            recovered_count,
            leader: leader.clone(),
            projections: Some(projections),
            media_stop: Some(media_stop),
            tasks: vec![],
            shutdown: shutdown.clone(),
            new_token,
            record,
        };
        server.spawn("media driver", async move {
            media_driver.await.map_err(anyhow::Error::from)
        });
        server.spawn("http", async move {
            let stop = shutdown.cancelled_owned();
            crate::http::serve(listener, router, crate::http::HEAD_WAIT, stop).await;
            Ok(())
        });
        let stop = server.shutdown.clone();
        server.spawn("reload", reload::on_signal(settings, stop));
        server.spawn_eraser();
        server.spawn_recordings();
        server.spawn_webhooks(&config.webhooks).await?;
        server.spawn("leader", leader.stand_by());
        server.spawn_keeper(keeping);
        server.spawn_figures();
        Ok(server)
    }

    fn spawn(
        &mut self,
        part: &'static str,
        work: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let alarm = self.shutdown.clone();
        self.tasks.push(tokio::spawn(async move {
            if let Err(error) = work.await {
                let error = format!("{error:#}");
                tracing::error!(part, error, "part stopped: the node ends");
                alarm.cancel();
            }
        }));
    }

    /// Completes when a part could not go on: the node must end.
    pub async fn failed(&self) {
        self.shutdown.cancelled().await;
    }

    fn spawn_eraser(&mut self) {
        let tools = self.record.eraser_tools(&self.views);
        let stop = self.shutdown.clone().cancelled_owned();
        let eraser = projections::eraser::run(tools, stop);
        self.tasks.push(tokio::spawn(eraser));
    }

    fn spawn_recordings(&mut self) {
        let record = &self.record;
        let (feed, stores) = (&record.feed, &record.stores);
        let tools = recordings::Tools::new(feed, stores, &self.views, &record.clock);
        let stop = self.shutdown.clone().cancelled_owned();
        self.tasks.push(tokio::spawn(recordings::run(tools, stop)));
    }

    async fn spawn_webhooks(&mut self, entries: &[WebhookEntry]) -> anyhow::Result<()> {
        let outbox = self.record.outbox();
        let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
        outbox.keep_only(&names).await.context("outbox")?;
        for entry in entries {
            let tools = webhook::Tools {
                feed: self.record.feed.clone(),
                outbox: outbox.clone(),
                roster: self.record.roster.clone(),
                clock: self.record.clock.clone(),
            };
            let relay = webhook::Relay::new(entry.options()?, tools)?;
            let stop = self.shutdown.clone().cancelled_owned();
            self.tasks.push(tokio::spawn(relay.run(stop)));
        }
        Ok(())
    }

    fn spawn_keeper(&mut self, keeping: Keeping) {
        let sip = self.sip.clone();
        self.spawn("node", async move {
            match keeping.await? {
                Standing::Member => Ok(()),
                Standing::Fenced => {
                    // The record says that its calls are over: so must they be.
                    sip.let_go();
                    tokio::time::sleep(FAREWELL).await;
                    anyhow::bail!("another node has taken this one's place")
                }
            }
        });
    }

    fn spawn_figures(&mut self) {
        let figures = Figures {
            gateway: self.record.gateway.clone(),
            relay: self.relay.clone(),
            views: self.views.clone(),
        };
        let shutdown = self.shutdown.clone();
        self.tasks.push(tokio::spawn(figures.tell(shutdown)));
    }

    /// Where SIP listens, UDP and TCP.
    pub fn sip_addr(&self) -> SocketAddr {
        self.sip.local_addr()
    }

    /// Where phones over WebSocket are served, if they are.
    pub const fn ws_addr(&self) -> Option<SocketAddr> {
        self.sip.ws_addr()
    }

    /// The URI that a phone registers at.
    pub fn sip_contact(&self) -> String {
        self.sip.contact()
    }

    /// Where HTTP listens.
    pub const fn http_addr(&self) -> SocketAddr {
        self.http
    }

    /// The API token, if one was made at this start.
    pub fn new_token(&self) -> Option<&str> {
        self.new_token.as_deref()
    }

    /// Notes that [`Self::new_token`] was shown: the next start makes no other.
    ///
    /// # Errors
    /// When the credential store can not be used.
    pub async fn token_was_shown(&self) -> anyhow::Result<()> {
        if self.new_token.is_some() {
            token::shown(self.record.stores.secrets.as_ref()).await?;
        }
        Ok(())
    }

    /// Calls of the run before that recovery has ended.
    pub const fn recovered_count(&self) -> usize {
        self.recovered_count
    }

    /// The read models.
    pub const fn views(&self) -> &Views {
        &self.views
    }

    /// The committed events.
    pub const fn feed(&self) -> &Feed {
        &self.record.feed
    }

    /// The write side.
    pub const fn gateway(&self) -> &Gateway {
        &self.record.gateway
    }

    /// Seals what is personal.
    pub fn vault(&self) -> &dyn Vault {
        self.record.stores.vault.as_ref()
    }

    /// Who is who.
    pub const fn directory(&self) -> &Directory {
        &self.record.directory
    }

    /// What accounts, plans and decks say.
    pub const fn books(&self) -> &Bookkeeping {
        &self.record.books
    }

    /// What a call would cost.
    pub const fn rater(&self) -> &Rater {
        &self.record.rater
    }

    /// SIP.
    pub const fn sip(&self) -> &sip::driver::Handle {
        &self.sip
    }

    /// RTP ports that are open.
    pub fn open_ports(&self) -> usize {
        self.relay.open_ports()
    }

    /// The time and chance of this node, for commands of the operator.
    pub fn clock_and_entropy(&self) -> (&dyn Clock, &dyn Entropy) {
        (self.record.clock.as_ref(), self.record.entropy.as_ref())
    }

    /// Stops every part in the order that loses nothing. Calls are ended by
    /// the caller of this function, see [`crate::shutdown`].
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        self.leader.stop().await;
        if let Some(stop) = self.media_stop.take() {
            // It may have stopped by itself, with an error in the log.
            let _ = stop.send(());
        }
        if let Some(projections) = self.projections.take() {
            projections.stop().await;
        }
        for task in self.tasks {
            // A panic was logged where it happened.
            let _ = task.await;
        }
        self.record.leave().await;
    }
}

/// What the server says of itself. It is not ready any more once it drains, so
/// that a load balancer goes elsewhere.
fn probes(
    stores: &Stores,
    views: &Views,
    sip: &sip::driver::Handle,
    metrics: PrometheusHandle,
) -> Probes {
    let (log, views, sip) = (stores.log.clone(), views.clone(), sip.clone());
    Probes {
        ready: Arc::new(move || {
            let (log, views, sip) = (log.clone(), views.clone(), sip.clone());
            Box::pin(async move {
                let running = views
                    .progress()
                    .iter()
                    .all(|status| status.parked.is_none());
                vec![
                    Check {
                        name: "store",
                        passed: log.head().await.is_ok(),
                    },
                    Check {
                        name: "projections",
                        passed: running,
                    },
                    Check {
                        name: "sip",
                        passed: sip.takes_new_calls(),
                    },
                ]
            })
        }),
        metrics: Arc::new(move || metrics.render()),
    }
}
