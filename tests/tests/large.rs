//! A session with fifty thousand calls: few alerts, and a sealing that holds no more than a page at a time.
//!
//! By itself in its process, whose memory it measures.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use handsoff_core::Trace;
use handsoff_functions::engine;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use handsoff_break_glass::live::BreakGlassFunction;
use handsoff_case::live::Remembered;
use handsoff_case::manifest::sha256;
use handsoff_cloudtrail::Time;
use handsoff_core::Policy;
use handsoff_runtime::{
    Archive, Ask, Canary, Clock, ConditionalWrite, DeadLetters, LogLine, Lookup, Memory, Message, Metrics,
    Notifier, Open, Published, Range, Report, RuntimeError, Subscription, Subscriptions, Turns,
};
use handsoff_sweep::sweep;
use handsoff_testing::fault_injection::{FaultInjection, LEASE, deliver, run};
use handsoff_testing::in_memory::InMemory;
use handsoff_tests::settings;

const POLICY: &str = "[[break_glass]]\nidentity = \"arn:aws:iam::*:role/break-glass\"\nmax_session = \"12h\"";

const START: &str = "2026-03-14T02:00:00Z";

fn call(number: usize) -> String {
    let time =
        Time::from_timestamp(Time::parse(START).unwrap().timestamp() + i64::try_from(number).unwrap() / 5);
    let (source, name, rest) = match number % 10 {
        0 => ("ec2", "RunInstances", r#""requestParameters":{"instanceType":"t3.micro"},"#),
        1 => ("s3", "GetBucketPolicy", r#""errorCode":"AccessDenied","#),
        2 if number % 100 == 2 => ("iam", "CreateAccessKey", r#""requestParameters":{"userName":"eve"},"#),
        _ => ("ec2", "DescribeInstances", r#""readOnly":true,"#),
    };
    format!(
        r#"{{"eventVersion":"1.11","eventID":"{number:08}","eventTime":"{time}","eventSource":"{source}.amazonaws.com","eventName":"{name}",{rest}
        "awsRegion":"eu-central-1","recipientAccountId":"111122223333","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli/2.24.10 md/awscrt#0.23.8",
        "userIdentity":{{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/break-glass/alice","accountId":"111122223333",
        "accessKeyId":"ASIAGLASS","sessionContext":{{"sessionIssuer":{{"arn":"arn:aws:iam::111122223333:role/break-glass","userName":"break-glass"}},
        "attributes":{{"creationDate":"{START}","mfaAuthenticated":"false"}}}}}}}}"#
    )
}

fn has_few_alerts() {
    let policy = Policy::parse("handsoff.toml", POLICY).unwrap();
    let world = InMemory::default();
    world.time.set(Time::parse(START).unwrap().timestamp());
    let faulty = FaultInjection::new(&world);
    let glass = BreakGlassFunction::new(engine(&policy), LEASE);
    let records: Vec<String> = (0..50_000).map(call).collect();
    for (number, batch) in records.chunks(500).enumerate() {
        let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
        run(&faulty, deliver(&faulty, &glass, &batch)).unwrap();
        if number % 20 == 0 {
            run(&faulty, sweep(&faulty, &policy, &settings(), world.now())).unwrap().unwrap();
        }
    }
    let messages = world.sent.borrow().len();
    println!("50,000 calls make {messages} messages");
    assert!((2..25).contains(&messages), "{messages} messages");
}

/// A world with a long session in its memory, which is made as it is read, and an archive that only counts.
struct Mill {
    in_memory: InMemory,
    policy: Policy,
    calls: usize,
    stored: Cell<usize>,
    /// The most that was handed out at once.
    page: Cell<usize>,
    /// The calls of the second that was looked at last.
    second: RefCell<(usize, Vec<(String, String)>)>,
}

impl Mill {
    fn call(&self, number: usize) -> String {
        let text = call(number);
        let (handsoff_cloudtrail::Entry::Record(record), _) =
            handsoff_cloudtrail::Record::read(&text).unwrap()
        else {
            panic!("a record")
        };
        let call = handsoff_core::Call::classify(record, &self.policy, &mut Trace::off());
        let verdict = engine(&self.policy).judge(&call, &mut Trace::off());
        let finding = verdict.finding().unwrap();
        let seen = handsoff_case::Seen::EventBridge;
        let call = handsoff_break_glass::live::remembered(&call, finding, &self.policy, seen);
        let call = &call[0].1;
        serde_json::to_string(call).unwrap()
    }

    /// A call by its place in the order of the case: within a second that is the order of the keys.
    fn sorted(&self, number: usize) -> (String, String) {
        let mut second = self.second.borrow_mut();
        if second.0 != number / 5 || second.1.is_empty() {
            let mut five: Vec<(String, String)> = (number / 5 * 5..number / 5 * 5 + 5)
                .map(|number| {
                    let text = self.call(number);
                    let call: Remembered = serde_json::from_str(&text).unwrap();
                    (format!("call#{}#live", call.call.sort()), text)
                })
                .collect();
            five.sort();
            *second = (number / 5, five);
        }
        second.1[number % 5].clone()
    }
}

impl Memory for Mill {
    async fn put(&self, partition: &str, sort: &str, text: &str) -> Result<bool, RuntimeError> {
        self.in_memory.put(partition, sort, text).await
    }

    async fn range(&self, range: Range<'_>) -> Result<Vec<String>, RuntimeError> {
        if !range.from.starts_with("call#") {
            return self.in_memory.range(range).await;
        }
        // Where the time in the key leads to.
        let time = range.from.get(5..25).and_then(Time::parse);
        let first = time.map_or(0, |time| {
            usize::try_from(time.timestamp() - Time::parse(START).unwrap().timestamp()).unwrap() * 5
        });
        let mut found = Vec::new();
        if range.backwards {
            found.push(self.sorted(self.calls - 1).1);
        } else {
            for number in first..self.calls {
                if found.len() == range.most {
                    break;
                }
                let (sort, text) = self.sorted(number);
                if sort.as_str() >= range.from {
                    found.push(text);
                }
            }
        }
        self.page.set(self.page.get().max(found.iter().map(String::len).sum()));
        Ok(found)
    }

    async fn read(&self, partition: &str, sort: &str) -> Result<Option<(u64, String)>, RuntimeError> {
        self.in_memory.read(partition, sort).await
    }

    async fn swap(&self, write: ConditionalWrite<'_>) -> Result<bool, RuntimeError> {
        self.in_memory.swap(write).await
    }

    async fn open(&self) -> Result<Vec<Open>, RuntimeError> {
        self.in_memory.open().await
    }
}

impl Archive for Mill {
    async fn store(&self, name: &str, text: &str) -> Result<(), RuntimeError> {
        self.stored.set(self.stored.get() + text.lines().count());
        if name.ends_with("manifest.json") { self.in_memory.store(name, text).await } else { Ok(()) }
    }

    async fn list(&self, _: &str, behind: &str) -> Result<Vec<String>, RuntimeError> {
        // All calls are there: by the time in the last name on.
        let from = behind.rsplit('/').next().and_then(|name| name.get(..16));
        let from = from.and_then(|time| Time::parse_as(time, "%Y%m%dT%H%M%SZ"));
        let first = from.map_or(0, |time| {
            usize::try_from(time.timestamp() - Time::parse(START).unwrap().timestamp()).unwrap() * 5
        });
        let documents = self.in_memory.documents.borrow();
        let (case, _) = documents.keys().find(|(partition, _)| partition.starts_with("glass-")).unwrap();
        let names = (first..self.calls).map(|number| {
            let call: Remembered = serde_json::from_str(&self.sorted(number).1).unwrap();
            let time = call.call.time.unwrap().format("%Y%m%dT%H%M%SZ");
            format!("cases/{case}/live/{time}-{}.json", call.call.key)
        });
        Ok(names.filter(|name| name.as_str() > behind).take(1000).collect())
    }

    async fn load(&self, name: &str) -> Result<String, RuntimeError> {
        assert!(name.ends_with("manifest.json"), "{name} is in the memory");
        self.in_memory.load(name).await
    }
}

impl Lookup for Mill {
    async fn lookup(
        &self,
        _: &Ask,
        _: Option<String>,
    ) -> Result<(Vec<String>, Option<String>), RuntimeError> {
        Ok((Vec::new(), None))
    }
}

impl Notifier for Mill {
    async fn publish(&self, message: &Message) -> Result<Published, RuntimeError> {
        self.in_memory.publish(message).await
    }

    fn turns(&self) -> &Turns {
        self.in_memory.turns()
    }
}

impl DeadLetters for Mill {
    async fn reject(&self, payload: &str, reason: &str) -> Result<(), RuntimeError> {
        self.in_memory.reject(payload, reason).await
    }
}

impl Metrics for Mill {
    async fn send(&self, report: &Report) -> Result<(), RuntimeError> {
        self.in_memory.send(report).await
    }
}

impl Canary for Mill {
    async fn touch(&self) -> Result<(), RuntimeError> {
        self.in_memory.touch().await
    }
}

impl Subscriptions for Mill {
    async fn subscriptions(&self) -> Result<BTreeSet<Subscription>, RuntimeError> {
        Ok(BTreeSet::new())
    }
}

impl Clock for Mill {
    fn now(&self) -> Time {
        self.in_memory.now()
    }

    fn name(&self) -> String {
        self.in_memory.name()
    }

    fn log(&self, line: LogLine) {
        panic!("{line}")
    }

    fn left(&self) -> Duration {
        self.in_memory.left()
    }

    async fn wait(&self, time: Duration) {
        self.in_memory.wait(time).await;
    }
}

/// What the process holds at most, in KiB, since the last reset.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn sealed(calls: usize) -> (u64, usize, String) {
    let policy = Policy::parse("handsoff.toml", POLICY).unwrap();
    let in_memory = InMemory::default();
    in_memory.time.set(Time::parse(START).unwrap().timestamp());
    {
        // The first call opens the session, with its findings and state.
        let faulty = FaultInjection::new(&in_memory);
        run(&faulty, deliver(&faulty, &BreakGlassFunction::new(engine(&policy), LEASE), &[&call(0)]))
            .unwrap();
    }
    let (stored, page, second) = (Cell::new(0), Cell::new(0), RefCell::default());
    let mill = Mill { in_memory, policy, calls, stored, page, second };
    let now = Time::parse("2026-03-15T12:00:00Z").unwrap();
    mill.in_memory.time.set(now.timestamp());
    // The kernel forgets the peak so far.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak();
    let settings = settings();
    let mut future = std::pin::pin!(sweep(&mill, &mill.policy, &settings, now));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while future.as_mut().poll(&mut context).is_pending() {}
    let grown = peak() - before;
    let manifests = mill.in_memory.files.borrow();
    let (_, manifest) = manifests.iter().find(|(name, _)| name.ends_with("/manifest.json")).unwrap();
    assert_eq!(mill.stored.get(), calls + manifest.lines().count());
    assert!(mill.page.get() < 1_000_000, "a page has {} bytes", mill.page.get());
    (grown, mill.stored.get(), sha256(manifest.as_bytes()))
}

#[test]
fn a_long_session_is_sealed_in_little_memory_and_has_few_alerts() {
    let (few, ..) = sealed(5_000);
    let (many, stored, _) = sealed(50_000);
    println!("peak memory grows by {few} KiB for 5,000 calls, by {many} KiB for 50,000 ({stored} lines)");
    // A page of calls, a page of names, a file of lines, and the sums.
    assert!(many < 12_000, "{many} KiB");
    // Behind it, for it needs memory of its own.
    has_few_alerts();
}
