//! A world with faults: the ports in memory, where every call is a point at which other functions may come in between,
//! the function may be killed, or the call may fail.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use handsoff_cloudtrail::json::Raw;
use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_runtime::{
    Answer, Archive, Ask, Canary, Clock, ConditionalWrite, DeadLetters, Delivery, Envelope, Function, Lease,
    LogLine, Lookup, Memory, Message, Metrics, Notifier, Open, Published, Range, Report, RuntimeError,
    Subscription, Subscriptions, Turns, handle,
};

use crate::in_memory::InMemory;
use crate::timers::Timers;

/// After how long an alert counts as not sent, in tests.
pub const LEASE: Lease = Lease(TimeDelta::seconds(90));

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The function is killed before the call is made.
    KilledBefore,
    /// The call is made, and the function is killed before it hears of it.
    KilledAfter,
    /// The call fails without effect.
    FailsBefore,
    /// The call has its effect, and seems to have failed.
    FailsAfter,
    /// The call is never answered, and has no effect.
    Hangs,
}

impl Fault {
    /// All that a function outlives, or doesn't, without waiting for its time to be up.
    pub const ALL: [Self; 4] = [Self::KilledBefore, Self::KilledAfter, Self::FailsBefore, Self::FailsAfter];
}

/// One function's view of the world.
#[derive(Debug)]
pub struct FaultInjection<'w> {
    /// What all share.
    pub world: &'w InMemory,
    /// What happens at the call with this number, and at each after it up to the second number.
    pub fault: Option<(usize, usize, Fault)>,
    /// The calls so far, by name.
    pub calls: RefCell<Vec<&'static str>>,
    /// The function is gone.
    pub dead: Cell<bool>,
    /// Who sends, one after the other.
    pub turns: Turns,
    /// What calls cost, and how long the invocation lasts; without it time stands still.
    pub timers: Option<&'w Timers>,
    /// What was written to the log.
    pub logged: RefCell<Vec<LogLine>>,
}

impl<'w> FaultInjection<'w> {
    /// A view in which nothing happens.
    pub fn new(world: &'w InMemory) -> Self {
        Self {
            world,
            fault: None,
            calls: RefCell::default(),
            dead: Cell::new(false),
            turns: Turns::default(),
            timers: None,
            logged: RefCell::default(),
        }
    }

    /// A view with one fault, at one call.
    pub fn with(world: &'w InMemory, call: usize, fault: Fault) -> Self {
        Self { fault: Some((call, call, fault)), ..Self::new(world) }
    }

    async fn call<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, RuntimeError>>,
    ) -> Result<T, RuntimeError> {
        // Nothing goes on in a function that is gone, whatever else it had begun.
        if self.dead.get() {
            return self.die().await;
        }
        let number = self.calls.borrow().len();
        self.calls.borrow_mut().push(name);
        let fault =
            self.fault.filter(|(from, to, _)| (from..=to).contains(&&number)).map(|(.., fault)| fault);
        // Others come in between.
        match self.timers {
            Some(timers) => timers.wait(timers.latency).await,
            None => Once::default().await,
        }
        if self.dead.get() {
            return self.die().await;
        }
        if fault == Some(Fault::Hangs) {
            return std::future::pending().await;
        }
        if fault == Some(Fault::KilledBefore) {
            return self.die().await;
        }
        if fault == Some(Fault::FailsBefore) {
            return Err(RuntimeError::call(name, "made to fail"));
        }
        let answer = call.await;
        Once::default().await;
        if self.dead.get() {
            return self.die().await;
        }
        match fault {
            Some(Fault::KilledAfter) => self.die().await,
            Some(Fault::FailsAfter) => Err(RuntimeError::call(name, "made to seem failed")),
            _ => answer,
        }
    }

    async fn die<T>(&self) -> T {
        self.dead.set(true);
        std::future::pending().await
    }
}

/// Ready at the second look.
#[derive(Default)]
struct Once(bool);

impl Future for Once {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Memory for FaultInjection<'_> {
    async fn put(&self, partition: &str, sort: &str, text: &str) -> Result<bool, RuntimeError> {
        self.call("put", self.world.put(partition, sort, text)).await
    }

    async fn range(&self, range: Range<'_>) -> Result<Vec<String>, RuntimeError> {
        self.call("range", self.world.range(range)).await
    }

    async fn read(&self, partition: &str, sort: &str) -> Result<Option<(u64, String)>, RuntimeError> {
        self.call("read", self.world.read(partition, sort)).await
    }

    async fn swap(&self, write: ConditionalWrite<'_>) -> Result<bool, RuntimeError> {
        self.call("swap", self.world.swap(write)).await
    }

    async fn open(&self) -> Result<Vec<Open>, RuntimeError> {
        self.call("open", self.world.open()).await
    }
}

impl Notifier for FaultInjection<'_> {
    async fn publish(&self, message: &Message) -> Result<Published, RuntimeError> {
        self.call("publish", self.world.publish(message)).await
    }

    fn turns(&self) -> &Turns {
        &self.turns
    }
}

impl DeadLetters for FaultInjection<'_> {
    async fn reject(&self, payload: &str, reason: &str) -> Result<(), RuntimeError> {
        self.call("reject", self.world.reject(payload, reason)).await
    }
}

impl Metrics for FaultInjection<'_> {
    async fn send(&self, report: &Report) -> Result<(), RuntimeError> {
        self.call("metrics", self.world.send(report)).await
    }
}

impl Archive for FaultInjection<'_> {
    async fn store(&self, name: &str, text: &str) -> Result<(), RuntimeError> {
        self.call("store", self.world.store(name, text)).await
    }

    async fn list(&self, prefix: &str, behind: &str) -> Result<Vec<String>, RuntimeError> {
        self.call("list", self.world.list(prefix, behind)).await
    }

    async fn load(&self, name: &str) -> Result<String, RuntimeError> {
        self.call("load", self.world.load(name)).await
    }
}

impl Lookup for FaultInjection<'_> {
    async fn lookup(
        &self,
        ask: &Ask,
        page: Option<String>,
    ) -> Result<(Vec<String>, Option<String>), RuntimeError> {
        self.call("lookup", self.world.lookup(ask, page)).await
    }
}

impl Canary for FaultInjection<'_> {
    async fn touch(&self) -> Result<(), RuntimeError> {
        self.call("touch", self.world.touch()).await
    }
}

impl Subscriptions for FaultInjection<'_> {
    async fn subscriptions(&self) -> Result<BTreeSet<Subscription>, RuntimeError> {
        self.call("subscriptions", self.world.subscriptions()).await
    }
}

impl Clock for FaultInjection<'_> {
    fn now(&self) -> Time {
        let gone = self.timers.map_or(0, |timers| timers.now().as_secs());
        Time::from_timestamp(self.world.now().timestamp() + i64::try_from(gone).unwrap())
    }

    fn name(&self) -> String {
        self.world.name()
    }

    fn log(&self, line: LogLine) {
        self.logged.borrow_mut().push(line);
    }

    fn left(&self) -> Duration {
        self.timers.map_or(Duration::MAX, Timers::left)
    }

    async fn wait(&self, time: Duration) {
        match self.timers {
            Some(timers) => timers.wait(time).await,
            None => std::future::pending().await,
        }
        if self.dead.get() {
            self.die::<()>().await;
        }
    }
}

/// Runs a function to its end, or to its death: `None`.
pub fn run<T>(faulty: &FaultInjection<'_>, function: impl Future<Output = T>) -> Option<T> {
    let mut function = std::pin::pin!(function);
    loop {
        if let Poll::Ready(answer) = function.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(answer);
        }
        if faulty.dead.get() {
            return None;
        }
    }
}

/// Runs functions at the same time: at each step of each the dice say who goes on.
pub fn run_together<'f>(
    mut functions: Vec<Pin<Box<dyn Future<Output = ()> + 'f>>>,
    dice: &mut impl FnMut(usize) -> usize,
) {
    while !functions.is_empty() {
        let next = dice(functions.len());
        if functions[next].as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            drop(functions.swap_remove(next));
        }
    }
}

/// Delivers records, again and again until all are done with. Says how often it took.
pub async fn deliver<F: Function>(world: &FaultInjection<'_>, function: &F, records: &[&str]) -> usize {
    let mut left: Vec<&str> = records.to_vec();
    // Grants go to one function alone, and what services send themselves to another.
    left.retain(|text| match (delivery(text).envelope.kind, function.name()) {
        ("", _) => true,
        (kind, "handsoff-break-glass") => kind.starts_with("Break-Glass ") || kind.starts_with("Drift "),
        (kind, "handsoff-pipeline") => kind.starts_with("Code") || kind.starts_with("CloudFormation "),
        _ => false,
    });
    let mut tries = 0;
    while !left.is_empty() && tries < 5 {
        tries += 1;
        let deliveries: Vec<Delivery<'_>> = left.iter().map(|record| delivery(record)).collect();
        let answers = handle(world, function, &deliveries).await;
        let again = answers.iter().map(|answer| matches!(answer, Answer::Again(_)));
        left = left.iter().zip(again).filter(|(_, again)| *again).map(|(record, _)| *record).collect();
    }
    tries
}

/// A record by itself, or a whole event.
pub fn delivery(text: &str) -> Delivery<'_> {
    let (event, _) = Raw::at(text, 0).unwrap();
    let field = |key| event.get(key).map(|raw| raw.as_str().trim_matches('"')).unwrap_or_default();
    match event.get("detail") {
        None => Delivery { payload: text, detail: Ok(text), envelope: Envelope::default() },
        Some(detail) => {
            let envelope = Envelope {
                kind: field("detail-type"),
                account: field("account"),
                time: field("time"),
                arrived: "",
                sender: "AIDAEXAMPLEOFAWS",
            };
            Delivery { payload: text, detail: Ok(detail.as_str()), envelope }
        }
    }
}

/// The milestones whose alerts were sent, and nothing shows it: those that were on their way when a function was killed.
pub fn on_their_way(world: &InMemory) -> BTreeSet<String> {
    let mut pending = BTreeSet::new();
    for ((incident, sort), (_, text, _)) in world.documents.borrow().iter() {
        let Some(period) = sort.strip_prefix("state#") else { continue };
        let state: serde_json::Value = serde_json::from_str(text).unwrap();
        let alerts = state["pending"].as_array().unwrap();
        let tells = alerts.iter().flat_map(|waits| waits["alert"]["tells"].as_array().unwrap());
        pending.extend(tells.map(|tells| format!("{incident} {period} {}", tells.as_str().unwrap())));
    }
    told(world).into_keys().filter(|told| pending.contains(told)).collect()
}

/// How often each milestone was reported: `incident period milestone`.
pub fn told(world: &InMemory) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for message in world.sent.borrow().iter() {
        let json: serde_json::Value = serde_json::from_str(&message.json).unwrap();
        let alert = &json["unmapped"]["handsoff"]["alert"];
        for milestone in alert["tells"].as_array().unwrap() {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            let key = format!("{} {} {}", text(&alert["incident"]), text(&alert["period"]), text(milestone));
            *told.entry(key).or_insert(0) += 1;
        }
    }
    told
}
