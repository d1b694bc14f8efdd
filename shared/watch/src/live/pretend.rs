//! The ports without AWS: in memory, for tests and for trying things out.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use handsoff_trail::Time;

use super::message::Message;
use super::ports::{
    Canary, Clock, DeadLetters, Failure, Memory, Metrics, Notifier, Range, Subscription, Subscriptions,
};
use super::report::Report;

/// A document: its version, its text, and whether it is open.
pub type Document = (u64, String, bool);

/// A world in memory, shared by several functions of one thread.
#[derive(Clone, Debug, Default)]
pub struct Pretend {
    /// All observations, by partition and sort key.
    pub observations: RefCell<BTreeMap<(String, String), String>>,
    /// All documents, by partition and sort key.
    pub documents: RefCell<BTreeMap<(String, String), Document>>,
    /// All messages, in their order.
    pub sent: RefCell<Vec<Message>>,
    /// All payloads that could not be read, with the reason.
    pub dead: RefCell<Vec<(String, String)>>,
    /// All metrics.
    pub report: RefCell<Report>,
    /// The canary's writes.
    pub touched: RefCell<Vec<Time>>,
    /// The topic's subscriptions.
    pub subscribed: RefCell<BTreeSet<Subscription>>,
    /// What time it is.
    pub time: Cell<i64>,
    /// How many names were given.
    pub names: Cell<u64>,
}

impl Memory for Pretend {
    async fn put(&self, partition: &str, sort: &str, text: &str) -> Result<bool, Failure> {
        let key = (partition.to_owned(), sort.to_owned());
        Ok(self.observations.borrow_mut().insert(key, text.to_owned()).is_none())
    }

    async fn range(&self, range: Range<'_>) -> Result<Vec<String>, Failure> {
        let observations = self.observations.borrow();
        let key = |sort: &str| (range.partition.to_owned(), sort.to_owned());
        let found = observations.range(key(range.from)..=key(range.to)).map(|(_, text)| text.clone());
        Ok(if range.backwards {
            found.rev().take(range.most).collect()
        } else {
            found.take(range.most).collect()
        })
    }

    async fn read(&self, partition: &str, sort: &str) -> Result<Option<(u64, String)>, Failure> {
        let key = (partition.to_owned(), sort.to_owned());
        Ok(self.documents.borrow().get(&key).map(|(version, text, _)| (*version, text.clone())))
    }

    async fn swap(
        &self,
        partition: &str,
        sort: &str,
        seen: Option<u64>,
        text: &str,
        open: bool,
    ) -> Result<bool, Failure> {
        let mut documents = self.documents.borrow_mut();
        let key = (partition.to_owned(), sort.to_owned());
        let version = documents.get(&key).map(|(version, ..)| *version);
        if version == seen {
            documents.insert(key, (version.unwrap_or(0) + 1, text.to_owned(), open));
        }
        Ok(version == seen)
    }

    async fn open(&self) -> Result<Vec<(String, String)>, Failure> {
        let documents = self.documents.borrow();
        Ok(documents.iter().filter(|(_, (.., open))| *open).map(|(key, _)| key.clone()).collect())
    }
}

impl Notifier for Pretend {
    async fn publish(&self, message: &Message) -> Result<(), Failure> {
        self.sent.borrow_mut().push(message.clone());
        Ok(())
    }
}

impl DeadLetters for Pretend {
    async fn reject(&self, payload: &str, reason: &str) -> Result<(), Failure> {
        self.dead.borrow_mut().push((payload.to_owned(), reason.to_owned()));
        Ok(())
    }
}

impl Metrics for Pretend {
    async fn send(&self, report: &Report) -> Result<(), Failure> {
        self.report.borrow_mut().merge(report);
        Ok(())
    }
}

impl Clock for Pretend {
    fn now(&self) -> Time {
        Time(self.time.get())
    }

    fn name(&self) -> String {
        self.names.set(self.names.get() + 1);
        self.names.get().to_string()
    }

    fn complain(&self, _: &Failure) {}
}

impl Canary for Pretend {
    async fn touch(&self, now: Time) -> Result<(), Failure> {
        self.touched.borrow_mut().push(now);
        Ok(())
    }
}

impl Subscriptions for Pretend {
    async fn subscriptions(&self) -> Result<BTreeSet<Subscription>, Failure> {
        Ok(self.subscribed.borrow().clone())
    }
}
