//! The function's process.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde::Serialize;

use crate::error::Error;

/// A process's memory, in KiB.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// The part of it that no file is behind.
    pub anonymous: u64,
    /// The most that was resident so far.
    pub peak: u64,
}

/// A running process. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// When it was about to be made.
    pub(super) since: Instant,
}

impl Process {
    /// Starts a binary with nothing but this environment. It says what it has to say on our standard error.
    pub(super) fn start(bootstrap: &Path, environment: &[(String, String)]) -> Result<Self, Error> {
        let mut command = Command::new(bootstrap);
        command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(std::io::stderr());
        let since = Instant::now();
        let child = command.spawn().map_err(|error| Error::io("start", bootstrap, error))?;
        Ok(Self { child, since })
    }

    /// How it ended, if it did.
    pub(super) fn ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }

    /// How long it has run on a CPU, in milliseconds.
    pub(super) fn cpu(&self) -> Result<f64, Error> {
        let schedule = self.read("schedstat")?;
        let nanoseconds: Option<f64> = schedule.split(' ').next().and_then(|first| first.parse().ok());
        Ok(nanoseconds.unwrap_or_default() / 1e6)
    }

    fn read(&self, file: &str) -> Result<String, Error> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).map_err(|error| Error::io("read", Path::new(&path), error))
    }

    /// What it has of memory.
    pub(super) fn memory(&self) -> Result<Memory, Error> {
        let status = self.read("status")?;
        let size = |name| size(&status, name);
        Ok(Memory { resident: size("VmRSS:"), anonymous: size("RssAnon:"), peak: size("VmHWM:") })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A size in KiB from `/proc/PID/status`.
fn size(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_and_an_end() {
        let mut process = Process::start(Path::new("/bin/cat"), &[]).unwrap();
        let memory = process.memory().unwrap();
        assert!(memory.peak >= memory.resident && memory.resident >= memory.anonymous, "{memory:?}");
        // A process that was only just started may not have run yet.
        let used = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            process.cpu().unwrap() > 0.0
        });
        assert!(used);
        while process.ended().is_none() {}
        assert_eq!(process.ended().as_deref(), Some("exit status: 0"));
        assert!(Process::start(Path::new("/nowhere"), &[]).is_err());
    }
}
