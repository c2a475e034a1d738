//! A thread that owns a connection, and ends when its handle goes.

use tokio::sync::mpsc;

/// The way to a thread that owns something which is not for sharing. Dropping
/// it closes the way in and waits until everything accepted is done.
pub(crate) struct Owner<Job> {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl<Job> std::fmt::Debug for Owner<Job> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owner").finish_non_exhaustive()
    }
}

impl<Job: Send + 'static> Owner<Job> {
    /// Starts a named thread that is given its jobs; at most `jobs_max` wait.
    pub(crate) fn start(
        name: &str,
        jobs_max: usize,
        body: impl FnOnce(mpsc::Receiver<Job>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (jobs, receiver) = mpsc::channel(jobs_max);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || body(receiver))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Hands a job over; waits while the queue is full. False when the thread
    /// has stopped.
    pub(crate) async fn send(&self, job: Job) -> bool {
        match &self.jobs {
            Some(jobs) => jobs.send(job).await.is_ok(),
            None => false,
        }
    }
}

impl<Job> Drop for Owner<Job> {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("database thread has panicked");
        }
    }
}
