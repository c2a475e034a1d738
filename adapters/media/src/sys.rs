//! The few system calls that the standard library does not have: epoll, an
//! eventfd to wake a thread, a timerfd to pace it, and the descriptor limit.
//! The only file of this crate with `unsafe`.
#![allow(unsafe_code)]

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    time::Duration,
};

/// Readiness events taken from the kernel in one call.
const READY_MAX: usize = 256;

/// Turns a negative result of a system call into its error.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Takes over a descriptor that a system call has just made.
fn own(result: libc::c_int) -> io::Result<OwnedFd> {
    let fd = check(result)?;
    // SAFETY: the call succeeded, so `fd` is open, and nobody else knows it yet.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// An epoll instance, level-triggered, for reading only.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: takes no pointer.
        let epoll = own(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        Ok(Self { epoll })
    }

    /// Reports `token` whenever `fd` can be read, until it is removed or closed.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: token,
        };
        // SAFETY: both descriptors are open (their borrows live) and `event`
        // outlives the call, which only reads it.
        check(unsafe {
            libc::epoll_ctl(
                self.epoll.as_raw_fd(),
                libc::EPOLL_CTL_ADD,
                fd.as_raw_fd(),
                &raw mut event,
            )
        })?;
        Ok(())
    }

    /// Stops reporting `fd`.
    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        // SAFETY: both descriptors are open; the event may be null for DEL
        // since Linux 2.6.9.
        check(unsafe {
            libc::epoll_ctl(
                self.epoll.as_raw_fd(),
                libc::EPOLL_CTL_DEL,
                fd.as_raw_fd(),
                std::ptr::null_mut(),
            )
        })?;
        Ok(())
    }

    /// Waits until something can be read and replaces `ready` by its tokens.
    pub(crate) fn wait(&self, ready: &mut Vec<u64>) -> io::Result<()> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; READY_MAX];
        // SAFETY: `events` has room for READY_MAX entries and outlives the call.
        let result = check(unsafe {
            libc::epoll_wait(
                self.epoll.as_raw_fd(),
                events.as_mut_ptr(),
                READY_MAX as libc::c_int,
                -1,
            )
        });
        ready.clear();
        match result {
            Ok(count) => {
                let count = usize::try_from(count).unwrap_or(0);
                ready.extend(events.iter().take(count).map(|event| event.u64));
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Reads the eight bytes of an eventfd or timerfd; 0 when there is nothing.
fn read_counter(fd: &OwnedFd) -> u64 {
    let mut count = 0u64;
    // SAFETY: `count` has the eight bytes that the kernel writes, and outlives
    // the call.
    let read = unsafe { libc::read(fd.as_raw_fd(), (&raw mut count).cast(), size_of::<u64>()) };
    if read == size_of::<u64>() as isize {
        count
    } else {
        0
    }
}

/// Wakes a thread that sleeps in [`Poller::wait`].
#[derive(Debug)]
pub(crate) struct Wake {
    event: OwnedFd,
}

impl Wake {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: takes no pointer.
        let event = own(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        Ok(Self { event })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.event)
    }

    /// Wakes; many wakes before the thread looks are one. The only error is a
    /// counter that is full, and then the thread is being woken anyway.
    pub(crate) fn wake(&self) {
        let one = 1u64;
        // SAFETY: `one` has the eight bytes that the kernel reads.
        unsafe {
            libc::write(
                self.event.as_raw_fd(),
                (&raw const one).cast(),
                size_of::<u64>(),
            )
        };
    }

    /// Forgets all wakes so far.
    pub(crate) fn clear(&self) {
        read_counter(&self.event);
    }
}

/// A periodic timer on the monotonic clock.
#[derive(Debug)]
pub(crate) struct Ticker {
    timer: OwnedFd,
}

impl Ticker {
    pub(crate) fn new() -> io::Result<Self> {
        let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
        // SAFETY: takes no pointer.
        let timer = own(unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, flags) })?;
        Ok(Self { timer })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.timer)
    }

    /// Ticks every `period` from now on; zero stops it.
    pub(crate) fn set(&self, period: Duration) -> io::Result<()> {
        let time = libc::timespec {
            tv_sec: libc::time_t::try_from(period.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: libc::c_long::from(period.subsec_nanos() as i32),
        };
        let every = libc::itimerspec {
            it_interval: time,
            it_value: time,
        };
        // SAFETY: `every` outlives the call, the old value is not wanted (null).
        check(unsafe {
            libc::timerfd_settime(
                self.timer.as_raw_fd(),
                0,
                &raw const every,
                std::ptr::null_mut(),
            )
        })?;
        Ok(())
    }

    /// Ticks since the last time this was asked.
    pub(crate) fn take(&self) -> u64 {
        read_counter(&self.timer)
    }
}

/// Raises the soft limit of open descriptors to the hard limit and returns
/// what now holds. A process that may not raise it keeps what it had.
///
/// # Errors
/// The system does not tell the limit.
pub(crate) fn raise_descriptor_limit() -> io::Result<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` outlives the call, which fills it.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    let raised = libc::rlimit {
        rlim_cur: limit.rlim_max,
        rlim_max: limit.rlim_max,
    };
    // SAFETY: `raised` outlives the call, which only reads it.
    if check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) }).is_ok() {
        return Ok(raised.rlim_cur);
    }
    Ok(limit.rlim_cur)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeping_thread_is_woken_and_paced() {
        let (poller, wake, ticker) = (
            Poller::new().unwrap(),
            Wake::new().unwrap(),
            Ticker::new().unwrap(),
        );
        poller.add(wake.fd(), 1).unwrap();
        poller.add(ticker.fd(), 2).unwrap();
        let mut ready = Vec::new();
        wake.wake();
        wake.wake();
        poller.wait(&mut ready).unwrap();
        assert_eq!(ready, [1]);
        wake.clear();
        ticker.set(Duration::from_millis(2)).unwrap();
        poller.wait(&mut ready).unwrap();
        assert_eq!(ready, [2]);
        assert!(ticker.take() >= 1);
        ticker.set(Duration::ZERO).unwrap();
        assert_eq!(ticker.take(), 0);
        assert!(raise_descriptor_limit().unwrap() > 0);
    }
}
