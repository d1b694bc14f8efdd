//! A slow world: the ports in memory, where each call takes its time by a clock that moves only when all wait. What a
//! function does at the same time takes the time of the longest.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use handsoff_cloudtrail::Time;
use handsoff_runtime::{
    Archive, Ask, Canary, Clock, ConditionalWrite, DeadLetters, LogLine, Lookup, Memory, Message, Metrics,
    Notifier, Open, Published, Range, Report, RuntimeError, Subscription, Subscriptions, Turns,
};

use crate::in_memory::InMemory;
use crate::timers::Timers;

/// What a page of a query holds at most.
const PAGE: usize = 1 << 20;

/// What CloudTrail's `LookupEvents` takes, in milliseconds: two answers a second.
const LOOKUP: i64 = 550;

/// The time of day, in milliseconds since 1970.
#[derive(Debug)]
pub struct Hours {
    begun: i64,
    timers: Timers,
}

impl Hours {
    /// Begins at a time.
    pub fn from(time: Time) -> Self {
        Self { begun: time.timestamp() * 1000, timers: Timers::new(Duration::MAX, Duration::ZERO) }
    }

    /// The milliseconds.
    pub fn now(&self) -> i64 {
        self.begun + i64::try_from(self.timers.now().as_millis()).unwrap()
    }

    /// Waits until a time, in milliseconds.
    pub async fn until(&self, at: i64) {
        let left = u64::try_from(at - self.now()).unwrap_or_default();
        self.timers.wait(Duration::from_millis(left)).await;
    }

    /// Runs something to its end. The clock of the world goes with this one.
    pub fn run<T>(&self, world: &InMemory, future: impl Future<Output = T>) -> T {
        let tick = || world.time.set(self.now().div_euclid(1000));
        tick();
        self.timers.run_ticking(future, tick).unwrap()
    }
}

/// Findings that are made as they are read: many, for little memory.
pub type Mill<'w> = &'w dyn Fn(&Range<'_>) -> Option<Vec<String>>;

/// One function's view of the world.
pub struct Slow<'w> {
    /// What all share.
    pub world: &'w InMemory,
    /// The clock.
    pub hours: &'w Hours,
    /// What a call takes, in milliseconds.
    pub latency: i64,
    /// Where some findings come from.
    pub mill: Option<Mill<'w>>,
    /// Whose findings can't be read, by how their partitions begin: it takes five seconds to fail.
    pub broken: Option<&'static str>,
    /// When each message was sent, in milliseconds.
    pub sent: &'w RefCell<Vec<(i64, Message)>>,
    /// The turns in which it sends.
    pub turns: Turns,
}

impl<'w> Slow<'w> {
    /// A view with this latency.
    pub fn new(
        world: &'w InMemory,
        hours: &'w Hours,
        latency: i64,
        sent: &'w RefCell<Vec<(i64, Message)>>,
    ) -> Self {
        Self { world, hours, latency, mill: None, broken: None, sent, turns: Turns::default() }
    }

    async fn takes<T>(&self, call: impl Future<Output = T>) -> T {
        self.wait(self.latency).await;
        let before = self.world.read_units.get();
        let answer = call.await;
        // What is long comes in pages.
        let bytes = (self.world.read_units.get() - before) * 4096;
        self.wait(self.latency * i64::try_from(bytes / PAGE).unwrap()).await;
        answer
    }

    async fn wait(&self, milliseconds: i64) {
        self.hours.until(self.hours.now() + milliseconds).await;
    }
}

impl Memory for Slow<'_> {
    async fn put(&self, partition: &str, sort: &str, text: &str) -> Result<bool, RuntimeError> {
        self.takes(self.world.put(partition, sort, text)).await
    }

    async fn range(&self, range: Range<'_>) -> Result<Vec<String>, RuntimeError> {
        if self.broken.is_some_and(|broken| range.partition.starts_with(broken)) {
            self.wait(5_000).await;
            return Err(RuntimeError::Late { what: "range" });
        }
        if let Some(made) = self.mill.and_then(|mill| mill(&range)) {
            let pages = 1 + made.iter().map(String::len).sum::<usize>() / PAGE;
            self.wait(self.latency * i64::try_from(pages).unwrap()).await;
            return Ok(made);
        }
        self.takes(self.world.range(range)).await
    }

    async fn read(&self, partition: &str, sort: &str) -> Result<Option<(u64, String)>, RuntimeError> {
        self.takes(self.world.read(partition, sort)).await
    }

    async fn swap(&self, write: ConditionalWrite<'_>) -> Result<bool, RuntimeError> {
        self.takes(self.world.swap(write)).await
    }

    async fn open(&self) -> Result<Vec<Open>, RuntimeError> {
        self.takes(self.world.open()).await
    }
}

impl Notifier for Slow<'_> {
    async fn publish(&self, message: &Message) -> Result<Published, RuntimeError> {
        let published = self.takes(self.world.publish(message)).await;
        if published == Ok(Published::Taken) {
            self.sent.borrow_mut().push((self.hours.now(), message.clone()));
        }
        published
    }

    fn turns(&self) -> &Turns {
        &self.turns
    }
}

impl DeadLetters for Slow<'_> {
    async fn reject(&self, payload: &str, reason: &str) -> Result<(), RuntimeError> {
        self.takes(self.world.reject(payload, reason)).await
    }
}

impl Metrics for Slow<'_> {
    async fn send(&self, report: &Report) -> Result<(), RuntimeError> {
        self.takes(self.world.send(report)).await
    }
}

impl Archive for Slow<'_> {
    async fn store(&self, name: &str, text: &str) -> Result<(), RuntimeError> {
        self.takes(self.world.store(name, text)).await
    }

    async fn list(&self, prefix: &str, behind: &str) -> Result<Vec<String>, RuntimeError> {
        self.takes(self.world.list(prefix, behind)).await
    }

    async fn load(&self, name: &str) -> Result<String, RuntimeError> {
        self.takes(self.world.load(name)).await
    }
}

impl Lookup for Slow<'_> {
    async fn lookup(
        &self,
        ask: &Ask,
        page: Option<String>,
    ) -> Result<(Vec<String>, Option<String>), RuntimeError> {
        self.wait(LOOKUP).await;
        self.world.lookup(ask, page).await
    }
}

impl Canary for Slow<'_> {
    async fn touch(&self) -> Result<(), RuntimeError> {
        self.takes(self.world.touch()).await
    }
}

impl Subscriptions for Slow<'_> {
    async fn subscriptions(&self) -> Result<BTreeSet<Subscription>, RuntimeError> {
        self.takes(self.world.subscriptions()).await
    }
}

impl Clock for Slow<'_> {
    fn now(&self) -> Time {
        self.world.now()
    }

    fn name(&self) -> String {
        self.world.name()
    }

    fn log(&self, line: LogLine) {
        println!("logged: {line}");
    }

    fn left(&self) -> Duration {
        Duration::MAX
    }

    /// For ever: no invocation ends here by its deadline.
    async fn wait(&self, _: Duration) {
        std::future::pending::<()>().await;
    }
}
