//! The Runtime API, version 2018-06-01: hands out events and times their responses.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::aws::Aws;
use super::http::{Connection, Request};
use super::listen::{listen, on_each_connection};
use super::process::Process;
use super::round::Round;
use crate::error::Error;

const NEXT: &str = "/2018-06-01/runtime/invocation/next";

/// The server. It ends with the program.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    aws: Aws,
}

#[derive(Debug, Default)]
struct State {
    payload: Arc<[u8]>,
    /// How many times it is still to be handed out.
    left: usize,
    /// How many events were handed out in all.
    number: u64,
    /// When the event that was not answered yet was handed out.
    handed_out: Option<Instant>,
    latencies: Vec<Duration>,
    response: Vec<u8>,
    /// Since when the function waits for an event that isn't there.
    idle: Option<Instant>,
    wrong: Option<String>,
}

impl RuntimeApi {
    /// Serves on loopback. `aws` forgets what it was told whenever an event is handed out.
    pub(super) fn serve(aws: Aws) -> Result<Self, Error> {
        let listener = listen(0)?;
        let address = listener.local_addr().map_err(|source| Error::Network { source })?;
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), aws });
        let server = Arc::clone(&shared);
        on_each_connection(listener, move |connection| server.converse(connection));
        Ok(Self { address, shared })
    }

    /// Where it serves.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has a payload handed out from now on.
    pub(super) fn hand_out(&self, round: &Round) {
        let mut state = self.shared.lock();
        state.payload = Arc::clone(&round.payload);
        state.left = round.times;
        state.latencies = Vec::with_capacity(round.times);
        // Until the poll that waits has been answered.
        state.idle = state.idle.filter(|_| round.times == 0);
        self.shared.changed.notify_all();
    }

    /// Waits until the function has answered all events and polls for more, and says since when it does.
    pub(super) fn wait(&self, patience: Duration, process: &mut Process) -> Result<Instant, Error> {
        let until = Instant::now() + patience;
        let mut state = self.shared.lock();
        loop {
            if let Some(why) = state.wrong.take() {
                return Err(Error::Function { why });
            }
            if let Some(since) = state.idle {
                return Ok(since);
            }
            if let Some(status) = process.ended() {
                return Err(Error::Function { why: format!("ended with {status}") });
            }
            let now = Instant::now();
            if now >= until {
                return Err(Error::Function { why: format!("was not ready within {patience:?}") });
            }
            let pause = Duration::from_millis(100).min(until - now);
            let waited = self.shared.changed.wait_timeout(state, pause);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The latencies since the last call of [`Self::hand_out`], and the last response.
    pub(super) fn taken(&self) -> (Latencies, String) {
        let mut state = self.shared.lock();
        let response = String::from_utf8_lossy(&state.response).into_owned();
        (Latencies::new(&std::mem::take(&mut state.latencies)), response)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn converse(&self, mut connection: Connection<std::net::TcpStream>) -> io::Result<()> {
        while let Some(request) = connection.request()? {
            let now = Instant::now();
            if request.method == "GET" && request.path == NEXT {
                let (number, payload) = self.next(now);
                let deadline =
                    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() + 60_000;
                let head = format!(
                    "content-type: application/json\r\n\
                     lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-{number:012}\r\n\
                     lambda-runtime-deadline-ms: {deadline}\r\n\
                     lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:111122223333:function:f\r\n\
                     lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0\r\n"
                );
                self.aws.forget();
                self.lock().handed_out = Some(Instant::now());
                connection.answer("200 OK", &head, &payload)?;
            } else {
                self.answered(now, request);
                connection.answer(
                    "202 Accepted",
                    "content-type: application/json\r\n",
                    b"{\"status\":\"OK\"}",
                )?;
            }
        }
        Ok(())
    }

    /// The next event, once there is one.
    fn next(&self, now: Instant) -> (u64, Arc<[u8]>) {
        let mut state = self.lock();
        while state.left == 0 {
            if state.idle.is_none() {
                state.idle = Some(now);
                self.changed.notify_all();
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.left -= 1;
        state.number += 1;
        (state.number, Arc::clone(&state.payload))
    }

    fn answered(&self, now: Instant, request: Request) {
        let mut state = self.lock();
        let latency = state.handed_out.take().map(|since| now.saturating_duration_since(since));
        if let (Some(latency), true) = (latency, request.path.ends_with("/response")) {
            state.latencies.push(latency);
            state.response = request.body;
        } else {
            let body = String::from_utf8_lossy(&request.body);
            state.wrong = Some(format!("sent to {}: {body}", request.path));
            self.changed.notify_all();
        }
    }
}

/// Latencies of a round.
#[derive(Debug)]
pub(super) struct Latencies {
    first: f64,
    sorted: Vec<f64>,
}

impl Latencies {
    fn new(latencies: &[Duration]) -> Self {
        let mut sorted: Vec<f64> = latencies.iter().map(|latency| latency.as_secs_f64() * 1e6).collect();
        let first = sorted.first().copied().unwrap_or_default();
        sorted.sort_by(f64::total_cmp);
        Self { first, sorted }
    }

    /// The first event's.
    pub(super) fn first(&self) -> f64 {
        self.first
    }

    /// The least.
    pub(super) fn least(&self) -> f64 {
        self.share(0)
    }

    /// What so many in a hundred are below.
    pub(super) fn share(&self, percent: usize) -> f64 {
        let last = self.sorted.len().saturating_sub(1);
        self.sorted.get(last * percent / 100).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_latencies() {
        let micros = |all: &[u64]| {
            let all: Vec<Duration> = all.iter().map(|one| Duration::from_micros(*one)).collect();
            Latencies::new(&all)
        };
        let latencies = micros(&[9, 1, 2, 3, 4]);
        let all = [latencies.first(), latencies.least(), latencies.share(50), latencies.share(99)];
        assert_eq!(format!("{all:.0?}"), "[9, 1, 3, 4]");
        assert!(micros(&[]).share(50).abs() < f64::EPSILON);
    }
}
