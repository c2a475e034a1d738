//! The processes that a bench starts: none outlives it, and each may open as
//! many descriptors as the system lets it.
#![allow(unsafe_code)]

use anyhow::{Context as _, bail, ensure};
use std::{fs, io, path::Path, process::ExitStatus, time::Duration};
use tokio::process::{Child, Command};

/// Fields of `/proc/PID/stat` after the name in parentheses: utime, stime.
const STAT_UTIME: usize = 11;
const STAT_STIME: usize = 12;

/// Lifts this process' descriptor limit as far as the system lets it; children
/// inherit it. Where it can not be lifted, the smaller one is tried.
pub(super) fn lift_descriptor_limit() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: both calls get a valid pointer that outlives them.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
    }
}

/// Starts a process that dies with the bench: killed when dropped, and by the
/// kernel when the thread that started it ends. Benches run on the main
/// thread, so that is when the bench ends in any way.
///
/// # Errors
/// When the system does not start it.
pub(super) fn spawn(command: &mut Command) -> io::Result<Child> {
    // SAFETY: between fork and exec only prctl is called, which takes no lock
    // and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        });
    }
    command.kill_on_drop(true).spawn()
}

/// Asks a process to stop and waits for it.
///
/// # Errors
/// When it does not exit within the time; it is killed then.
pub(super) async fn stop(child: &mut Child, patience: Duration) -> anyhow::Result<ExitStatus> {
    let id = child.id().context("the process has ended before")?;
    // SAFETY: takes no pointer. The child has not been waited for, so the id is
    // still its own.
    let sent = unsafe { libc::kill(i32::try_from(id)?, libc::SIGTERM) };
    ensure!(sent == 0, "process {id} can not be asked to stop");
    match tokio::time::timeout(patience, child.wait()).await {
        Ok(status) => Ok(status?),
        Err(_) => {
            child.kill().await?;
            bail!("process {id} did not stop within {} s", patience.as_secs())
        }
    }
}

/// CPU time that a process has used, in milliseconds.
///
/// # Errors
/// When there is no such process.
pub(super) fn cpu_ms(id: u32) -> anyhow::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // SAFETY: takes no pointer.
    let ticks_per_s = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    let ticks = stat_ticks(&stat).context("/proc/PID/stat is not understood")?;
    Ok(ticks * 1_000 / u64::try_from(ticks_per_s)?.max(1))
}

fn stat_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let utime: u64 = fields.get(STAT_UTIME)?.parse().ok()?;
    let stime: u64 = fields.get(STAT_STIME)?.parse().ok()?;
    Some(utime + stime)
}

/// A number of `/proc/PID/status`: `VmRSS` in KiB, `Threads` as it is.
///
/// # Errors
/// When there is no such process or line.
pub(super) fn status_number(id: u32, key: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    status
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| *name == key)
        .and_then(|(_, value)| value.split_whitespace().next()?.parse().ok())
        .with_context(|| format!("/proc/{id}/status has no {key}"))
}

/// The end of a text file, for an error message.
pub(super) fn tail_of(file: &Path) -> String {
    const BYTES_MAX: usize = 2_000;
    let text = fs::read(file).unwrap_or_default();
    let from = text.len().saturating_sub(BYTES_MAX);
    String::from_utf8_lossy(&text[from..]).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_a_name_with_spaces_and_parentheses() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 1 0 0 0 120 34 0 0 20 0 1 0 5";
        assert_eq!(stat_ticks(stat), Some(154));
        assert_eq!(stat_ticks("7 (short) S 1"), None);
    }

    #[test]
    fn this_process_has_memory_and_threads() {
        let id = std::process::id();
        assert!(status_number(id, "VmRSS").unwrap() > 0);
        assert!(status_number(id, "Threads").unwrap() > 0);
        assert!(cpu_ms(id).is_ok());
    }
}
