//! The ports without AWS: in memory, for tests and for trying things out.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use handsoff_cloudtrail::{Entry, Identity, Record, Time};

use handsoff_runtime::message::{LONGEST, Message};
use handsoff_runtime::{
    Archive, Ask, Canary, Clock, ConditionalWrite, DeadLetters, Due, LogLine, Lookup, Memory, Metrics,
    Notifier, Open, Published, Range, Report, RuntimeError, Subscription, Subscriptions, Turns, stored,
};

/// A document: its version, its text, and what the list of open ones says of it.
pub type Document = (u64, String, Option<Due>);

/// A world in memory, shared by several functions of one thread.
#[derive(Clone, Debug, Default)]
pub struct InMemory {
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
    /// How often metrics were sent.
    pub sends: Cell<usize>,
    /// The canary's writes.
    pub touched: RefCell<Vec<Time>>,
    /// The topic's subscriptions.
    pub subscribed: RefCell<BTreeSet<Subscription>>,
    /// All files that were archived.
    pub files: RefCell<BTreeMap<String, String>>,
    /// What CloudTrail remembers: records in JSON.
    pub trail: RefCell<Vec<String>>,
    /// What time it is.
    pub time: Cell<i64>,
    /// How many names were given.
    pub names: Cell<u64>,
    /// How many read units were used, as `DynamoDB` counts strongly consistent reads: one for each 4 KB begun.
    pub read_units: Cell<usize>,
    /// How many write units were used: one a started KiB of an item.
    pub write_units: Cell<usize>,
    /// Messages of more bytes are refused; if not set, those that SNS would refuse.
    pub longest: Cell<Option<usize>>,
    turns: Rc<Turns>,
}

impl InMemory {
    fn refuses(&self, message: &Message) -> Option<String> {
        let Message { subject, .. } = message;
        let printable = subject.chars().all(|char| char == ' ' || char.is_ascii_graphic());
        let begins = subject.starts_with(|char: char| char.is_ascii_graphic());
        let (size, longest) = (message.size(), self.longest.get().unwrap_or(LONGEST));
        if !printable || !begins || subject.len() >= 100 {
            return Some(format!("InvalidParameter: Subject: `{subject}`"));
        }
        (size > longest).then(|| format!("InvalidParameter: Message too long: {size} bytes"))
    }
}

impl InMemory {
    fn count_read(&self, bytes: usize) {
        self.read_units.set(self.read_units.get() + bytes.div_ceil(4096).max(1));
    }

    fn count_write(&self, bytes: usize) {
        self.write_units.set(self.write_units.get() + bytes.div_ceil(1024).max(1));
    }
}

/// What the names of an item's attributes, its version and its expiry take.
const ITEM: usize = 64;

impl Memory for InMemory {
    async fn put(&self, partition: &str, sort: &str, text: &str) -> Result<bool, RuntimeError> {
        self.count_write(ITEM + partition.len() + sort.len() + text.len());
        let key = (partition.to_owned(), sort.to_owned());
        let version = |text: &str| serde_json::from_str(text).map_or(0, |item| stored::version(&item));
        let mut observations = self.observations.borrow_mut();
        if observations.get(&key).is_some_and(|there| version(there) > version(text)) {
            return Ok(false);
        }
        Ok(observations.insert(key, text.to_owned()).is_none())
    }

    async fn range(&self, range: Range<'_>) -> Result<Vec<String>, RuntimeError> {
        if [range.partition, range.from, range.to].contains(&"") {
            return Err(RuntimeError::call("DynamoDB Query", "a key attribute can't be an empty string"));
        }
        let observations = self.observations.borrow();
        let key = |sort: &str| (range.partition.to_owned(), sort.to_owned());
        let found = observations.range(key(range.from)..=key(range.to));
        let found: Vec<_> = if range.backwards {
            found.rev().take(range.most).collect()
        } else {
            found.take(range.most).collect()
        };
        let size = |((partition, sort), text): &(&(String, String), &String)| {
            ITEM + partition.len() + sort.len() + text.len()
        };
        self.count_read(found.iter().map(size).sum());
        Ok(found.into_iter().map(|(_, text)| text.clone()).collect())
    }

    async fn read(&self, partition: &str, sort: &str) -> Result<Option<(u64, String)>, RuntimeError> {
        let key = (partition.to_owned(), sort.to_owned());
        let found = self.documents.borrow().get(&key).map(|(version, text, _)| (*version, text.clone()));
        self.count_read(found.as_ref().map_or(0, |(_, text)| ITEM + text.len()));
        Ok(found)
    }

    async fn swap(&self, write: ConditionalWrite<'_>) -> Result<bool, RuntimeError> {
        let ConditionalWrite { partition, sort, seen, text, due } = write;
        self.count_write(ITEM + partition.len() + sort.len() + text.len());
        let mut documents = self.documents.borrow_mut();
        let key = (partition.to_owned(), sort.to_owned());
        let version = documents.get(&key).map(|(version, ..)| *version);
        if version == seen {
            documents.insert(key, (version.unwrap_or(0) + 1, text.to_owned(), due));
        }
        Ok(version == seen)
    }

    async fn open(&self) -> Result<Vec<Open>, RuntimeError> {
        let documents = self.documents.borrow();
        let open: Vec<Open> = documents
            .iter()
            .filter_map(|((partition, sort), (.., due))| {
                Some(Open { partition: partition.clone(), sort: sort.clone(), due: Some((*due)?) })
            })
            .collect();
        let size = |open: &Open| ITEM + open.partition.len() + open.sort.len();
        // The index is read as it is, which costs half.
        self.count_read(open.iter().map(size).sum::<usize>() / 2);
        Ok(open)
    }
}

impl Notifier for InMemory {
    async fn publish(&self, message: &Message) -> Result<Published, RuntimeError> {
        if let Some(why) = self.refuses(message) {
            return Ok(Published::Refused(RuntimeError::call("SNS Publish", why)));
        }
        self.sent.borrow_mut().push(message.clone());
        Ok(Published::Taken)
    }

    fn turns(&self) -> &Turns {
        &self.turns
    }
}

impl DeadLetters for InMemory {
    async fn reject(&self, payload: &str, reason: &str) -> Result<(), RuntimeError> {
        self.dead.borrow_mut().push((payload.to_owned(), reason.to_owned()));
        Ok(())
    }
}

impl Metrics for InMemory {
    async fn send(&self, report: &Report) -> Result<(), RuntimeError> {
        self.report.borrow_mut().merge(report);
        self.sends.set(self.sends.get() + 1);
        Ok(())
    }
}

impl Clock for InMemory {
    fn now(&self) -> Time {
        Time::from_timestamp(self.time.get())
    }

    fn name(&self) -> String {
        self.names.set(self.names.get() + 1);
        self.names.get().to_string()
    }

    fn log(&self, _: LogLine) {}

    fn left(&self) -> Duration {
        Duration::MAX
    }

    /// For ever: time only goes on where a test sets it.
    async fn wait(&self, _: Duration) {
        std::future::pending::<()>().await;
    }
}

impl Archive for InMemory {
    async fn store(&self, name: &str, text: &str) -> Result<(), RuntimeError> {
        self.files.borrow_mut().entry(name.to_owned()).or_insert_with(|| text.to_owned());
        Ok(())
    }

    async fn list(&self, prefix: &str, behind: &str) -> Result<Vec<String>, RuntimeError> {
        let files = self.files.borrow();
        let names = files.keys().filter(|name| name.starts_with(prefix) && name.as_str() > behind);
        Ok(names.take(1000).cloned().collect())
    }

    async fn load(&self, name: &str) -> Result<String, RuntimeError> {
        let found = self.files.borrow().get(name).cloned();
        found.ok_or_else(|| RuntimeError::call("the archive", format!("there is no {name}")))
    }
}

/// Pages of two: those who ask for more than one have to go on.
impl Lookup for InMemory {
    async fn lookup(
        &self,
        ask: &Ask,
        page: Option<String>,
    ) -> Result<(Vec<String>, Option<String>), RuntimeError> {
        let mut found = Vec::new();
        for text in self.trail.borrow().iter() {
            let Ok((Entry::Record(record), _)) = Record::read(text) else { continue };
            let identity = Identity::read(record.user_identity);
            let named = match ask.attribute {
                "AccessKeyId" => identity.access_key_id.as_deref() == Some(&*ask.value),
                "ResourceName" => record.assumed_role_arn().as_deref() == Some(&*ask.value),
                _ => {
                    let session = identity.assumed_role().map(|(_, session)| session);
                    session.or(identity.user_name.as_deref()) == Some(&*ask.value)
                }
            };
            let time = record.event_time.text().and_then(|time| Time::parse(&time));
            let region = record.aws_region.text().as_deref() == Some(&*ask.region);
            if named && region && time.is_some_and(|time| (ask.from..=ask.to).contains(&time)) {
                found.push((time, text.clone()));
            }
        }
        found.sort_by(|a, b| b.cmp(a));
        let skip: usize = page.and_then(|page| page.parse().ok()).unwrap_or_default();
        let next = (found.len() > skip + 2).then(|| (skip + 2).to_string());
        Ok((found.into_iter().skip(skip).take(2).map(|(_, text)| text).collect(), next))
    }
}

impl Canary for InMemory {
    async fn touch(&self) -> Result<(), RuntimeError> {
        self.touched.borrow_mut().push(self.now());
        Ok(())
    }
}

impl Subscriptions for InMemory {
    async fn subscriptions(&self) -> Result<BTreeSet<Subscription>, RuntimeError> {
        Ok(self.subscribed.borrow().clone())
    }
}
