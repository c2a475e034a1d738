//! A packet capture of SIP on loopback: the witness that does not belong to
//! the product.

use anyhow::{Context as _, ensure};
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// tcpdump listens within this, and ends within this.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of the file's head, and of each packet's.
const FILE_HEAD: usize = 24;
const PACKET_HEAD: usize = 16;
/// Ethernet, then IPv4 without options, then UDP.
const ETHERNET: usize = 14;
const UDP: usize = 8;

/// A SIP message on the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// Seconds since 1970.
    pub at: f64,
    /// UDP source port.
    pub from_port: u16,
    /// UDP destination port.
    pub to_port: u16,
    /// The message.
    pub text: String,
}

impl Packet {
    /// The value of a header by its full name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The first line.
    pub fn start(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// User part of the From header.
    pub fn from_user(&self) -> Option<&str> {
        let value = self.header("From")?;
        let (_, rest) = value.split_once("sip:")?;
        rest.split('@').next()
    }
}

/// A running capture.
pub struct Capture {
    child: Child,
    file: std::path::PathBuf,
}

impl Capture {
    /// Captures UDP to and from a port of loopback into a file in the folder.
    ///
    /// # Errors
    /// When tcpdump can not capture: it needs the right to.
    pub async fn start(folder: &Path, port: u16) -> anyhow::Result<Self> {
        let file = folder.join("capture.pcap");
        let mut child = Command::new("tcpdump")
            .args(["-i", "lo", "-U", "-s", "0", "--immediate-mode", "-w"])
            .arg(&file)
            .arg(format!("udp port {port}"))
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("tcpdump is not there")?;
        let stderr = child.stderr.take().context("no output")?;
        let mut lines = BufReader::new(stderr).lines();
        let listening = async {
            while let Some(line) = lines.next_line().await? {
                if line.contains("listening on") {
                    return Ok(());
                }
            }
            anyhow::bail!("tcpdump ended before it listened")
        };
        tokio::time::timeout(PATIENCE, listening)
            .await
            .context("tcpdump does not listen")??;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, file })
    }

    /// Ends the capture and reads it.
    ///
    /// # Errors
    /// When the file is not a capture of loopback.
    pub async fn finish(mut self) -> anyhow::Result<Vec<Packet>> {
        let id = i32::try_from(self.child.id().context("it has ended")?)?;
        // SAFETY: a signal to a child that has not been waited for: the id is its own.
        #[allow(unsafe_code, reason = "no safe way to send SIGINT in std")]
        let sent = unsafe { libc::kill(id, libc::SIGINT) };
        ensure!(sent == 0, "SIGINT was not sent");
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .context("tcpdump does not end")??;
        parse(&std::fs::read(&self.file)?)
    }
}

fn parse(bytes: &[u8]) -> anyhow::Result<Vec<Packet>> {
    let word = |at: usize| -> anyhow::Result<u32> {
        let slice = bytes.get(at..at + 4).context("capture is cut")?;
        Ok(u32::from_le_bytes(slice.try_into()?))
    };
    ensure!(
        word(0)? == 0xa1b2_c3d4,
        "not a little-endian microsecond capture"
    );
    let mut packets = vec![];
    let mut at = FILE_HEAD;
    while at + PACKET_HEAD <= bytes.len() {
        let (seconds, micros, length) = (word(at)?, word(at + 4)?, word(at + 8)? as usize);
        let frame = bytes
            .get(at + PACKET_HEAD..at + PACKET_HEAD + length)
            .context("cut packet")?;
        at += PACKET_HEAD + length;
        let Some(ip) = frame
            .get(ETHERNET..)
            .filter(|ip| ip.first().is_some_and(|b| b >> 4 == 4))
        else {
            continue;
        };
        let head = usize::from(ip[0] & 0x0f) * 4;
        let Some(udp) = ip.get(head..).filter(|udp| udp.len() > UDP) else {
            continue;
        };
        packets.push(Packet {
            at: f64::from(seconds) + f64::from(micros) / 1e6,
            from_port: u16::from_be_bytes([udp[0], udp[1]]),
            to_port: u16::from_be_bytes([udp[2], udp[3]]),
            text: String::from_utf8_lossy(&udp[UDP..]).into_owned(),
        });
    }
    Ok(packets)
}
