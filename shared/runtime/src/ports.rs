//! The ports: what the functions need of the world.

#![expect(async_fn_in_trait, reason = "functions run on one thread: no future has to be sent to another")]

use std::collections::BTreeSet;
use std::time::Duration;

use handsoff_cloudtrail::Time;
use serde::{Deserialize, Serialize};

use super::due::Due;
use super::error::RuntimeError;
use super::log::LogLine;
use super::message::Message;
use super::report::Report;
use super::turn::Turns;

/// Sorted entries of one partition: from `from` to `to`, both included, at most so many.
#[derive(Clone, Copy, Debug)]
pub struct Range<'a> {
    /// The partition.
    pub partition: &'a str,
    /// The first sort key.
    pub from: &'a str,
    /// The last sort key.
    pub to: &'a str,
    /// At most so many entries.
    pub most: usize,
    /// The last ones first, so that the limit leaves out the first.
    pub backwards: bool,
}

/// A document to be written if nobody else has written it meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct ConditionalWrite<'a> {
    /// Its partition.
    pub partition: &'a str,
    /// Its sort key.
    pub sort: &'a str,
    /// The version that was seen, `None` for not being there.
    pub seen: Option<u64>,
    /// Its text.
    pub text: &'a str,
    /// Puts it on the list that the sweep goes through, and stands there.
    pub due: Option<Due>,
}

/// What outlives an invocation. All reads see every write that was answered before them.
pub trait Memory {
    /// Puts an observation, which never changes: to put it again is no mistake. Tells whether it is new. One that a
    /// newer version has stored, which knows more of it, stays as it is.
    async fn put(&self, partition: &str, sort: &str, text: &str) -> Result<bool, RuntimeError>;

    /// The observations of a range, in its order.
    async fn range(&self, range: Range<'_>) -> Result<Vec<String>, RuntimeError>;

    /// A document that changes, and its version.
    async fn read(&self, partition: &str, sort: &str) -> Result<Option<(u64, String)>, RuntimeError>;

    /// Writes a document if it still has the version that was seen. `false` if somebody else was faster.
    async fn swap(&self, write: ConditionalWrite<'_>) -> Result<bool, RuntimeError>;

    /// The open documents. May be a moment behind.
    async fn open(&self) -> Result<Vec<Open>, RuntimeError>;
}

/// A document on the list of those that are open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its partition.
    pub partition: String,
    /// Its sort key.
    pub sort: String,
    /// What there is to do with it; `None` where the list doesn't say.
    pub due: Option<Due>,
}

/// What came of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is taken.
    Taken,
    /// It is refused for its form, and would be again: too long, a character that isn't allowed.
    Refused(RuntimeError),
}

/// Where alerts go.
pub trait Notifier {
    /// Sends a message to all subscribers. A failure is one that may be over the next time.
    async fn publish(&self, message: &Message) -> Result<Published, RuntimeError>;

    /// The turns in which this function sends.
    fn turns(&self) -> &Turns;
}

/// Where payloads go that can't be read.
pub trait DeadLetters {
    /// Keeps a payload, with the reason.
    async fn reject(&self, payload: &str, reason: &str) -> Result<(), RuntimeError>;
}

/// Where metrics go.
pub trait Metrics {
    /// Sends what a report has gathered.
    async fn send(&self, report: &Report) -> Result<(), RuntimeError>;
}

/// What time it is, and how much of it is left.
pub trait Clock {
    /// Now.
    fn now(&self) -> Time;

    /// A name for this invocation that no other has: claims are known by it.
    fn name(&self) -> String;

    /// Writes to the log what went wrong, where nobody else has to know of it.
    fn log(&self, line: LogLine);

    /// How long this invocation may still run.
    fn left(&self) -> Duration;

    /// Waits for so long.
    async fn wait(&self, time: Duration);
}

/// The tag that the sweep writes so that it comes back.
pub const CANARY_TAG: &str = "handsoff-canary";

/// Its value, always the same: AWS Config bills each change of a tag as a configuration item. CloudTrail records the
/// call all the same.
pub const CANARY_VALUE: &str = "sings";

/// What the sweep writes so that it comes back.
pub trait Canary {
    /// Makes the one harmless write that CloudTrail records and the drift function recognises: it sets the tag
    /// [`CANARY_TAG`] of handsoff's own table to [`CANARY_VALUE`].
    async fn touch(&self) -> Result<(), RuntimeError>;
}

/// A confirmed subscription of the topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subscription {
    /// Its ARN.
    pub arn: String,
    /// Its protocol: `email`, `https`, `sqs` …
    pub protocol: String,
}

/// Who listens.
pub trait Subscriptions {
    /// The topic's confirmed subscriptions.
    async fn subscriptions(&self) -> Result<BTreeSet<Subscription>, RuntimeError>;
}

/// Where things are kept that nobody can change or remove for as long as the law of the house says.
pub trait Archive {
    /// Keeps a file, unless one of that name is there: what is kept is never replaced.
    async fn store(&self, name: &str, text: &str) -> Result<(), RuntimeError>;

    /// The names of files that start so, in their order, behind the given one; at most a thousand.
    async fn list(&self, prefix: &str, behind: &str) -> Result<Vec<String>, RuntimeError>;

    /// What is in a file.
    async fn load(&self, name: &str) -> Result<String, RuntimeError>;
}

/// A question to CloudTrail's own memory of events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    /// The Region.
    pub region: String,
    /// `AccessKeyId`, `Username` or `ResourceName`.
    pub attribute: &'static str,
    /// The access key, or the name.
    pub value: String,
    /// From when, included.
    pub from: Time,
    /// Until when, included.
    pub to: Time,
}

/// CloudTrail's own memory of management events, 90 days long: it goes on when every trail is off.
pub trait Lookup {
    /// A page of events, the newest first, and the mark of the next page. Takes as long as the limit of two
    /// questions a second asks for.
    async fn lookup(
        &self,
        ask: &Ask,
        page: Option<String>,
    ) -> Result<(Vec<String>, Option<String>), RuntimeError>;
}

/// What a function needs to judge, remember and tell.
pub trait World: Memory + Notifier + DeadLetters + Metrics + Clock + Archive {}

impl<W: Memory + Notifier + DeadLetters + Metrics + Clock + Archive> World for W {}
