//! What the figures were measured on.

use super::figures::{Distribution, elapsed_us};
use crate::demo::say;
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    process::Command,
    time::{Instant, UNIX_EPOCH},
};

/// Writes of the disk's own measurement, and the size of each.
const DISK_WRITES: usize = 500;
const DISK_BLOCK_BYTES: usize = 4_096;

/// Prints machine, program and store.
pub(super) fn print(store: &str) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    say(&format!(
        "machine  {}, {cores} cores, {:.1} GiB, Linux {}",
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into()),
        memory_gib(),
        read("/proc/sys/kernel/osrelease"),
    ));
    say(&format!(
        "program  ringledger {} of {}, {} build",
        env!("CARGO_PKG_VERSION"),
        commit(),
        profile()
    ));
    say(&format!("store    {store}"));
    // Figures of a machine that does something else are figures of that, too.
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    say(&format!("load     {load} before the bench (1 minute)"));
    if cfg!(debug_assertions) {
        say(
            "WARNING  this is a debug build: its figures say nothing about the product. \
             Use cargo run --release -- bench ..",
        );
    }
}

/// How long the disk under a folder takes to make a block durable.
///
/// # Errors
/// When the folder can not be written to.
pub(super) fn disk_sync(folder: &Path) -> io::Result<Distribution> {
    let path = folder.join("disk-probe");
    let mut file = File::create(&path)?;
    let block = [0x5a_u8; DISK_BLOCK_BYTES];
    let mut took_us = Vec::with_capacity(DISK_WRITES);
    for _ in 0..DISK_WRITES {
        let began = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        took_us.push(elapsed_us(began));
    }
    drop(file);
    fs::remove_file(path)?;
    Ok(Distribution::of_us(took_us))
}

const fn profile() -> &'static str {
    if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    }
}

/// The commit of the source tree that this was built from, as far as it is still
/// there: the last one before the program was written. Trees move on.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(["-C", env!("CARGO_MANIFEST_DIR")])
            .args(arguments)
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let built = built_at().map(|at| format!("--before=@{at}"));
    let of_build = built.and_then(|before| git(&["rev-list", "-1", &before, "HEAD"]));
    let known = of_build.filter(|commit| !commit.is_empty());
    let (Some(commit), Some(head)) = (known, git(&["rev-parse", "HEAD"])) else {
        return option_env!("RINGLEDGER_COMMIT")
            .unwrap_or("an unknown commit")
            .to_owned();
    };
    let is_head = commit == head;
    let commit = commit.get(..12).unwrap_or(&commit);
    if !is_head {
        return format!("commit {commit}, or changes to it");
    }
    match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Some(changes) if changes.is_empty() => format!("commit {commit}"),
        Some(_) | None => format!("commit {commit} with changes"),
    }
}

/// When the program was written, in seconds since 1970.
fn built_at() -> Option<u64> {
    let program = std::env::current_exe().ok()?;
    let written = fs::metadata(program).ok()?.modified().ok()?;
    Some(written.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

fn memory_gib() -> f64 {
    let kib = field("/proc/meminfo", "MemTotal")
        .and_then(|value| value.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1_048_576.0
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = pairs.find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

fn read(file: &str) -> String {
    fs::read_to_string(file).map_or_else(|_| "unknown".into(), |text| text.trim().to_owned())
}
