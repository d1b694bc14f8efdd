//! How a case is remembered while its session lasts, written against the ports.
//!
//! In the memory's partition of the case: `call#TIME#KEY#SOURCE` is an observation with its facts, `case` what was
//! sealed. Partition `grants` has the grants by their end. In the archive `cases/CASE/live/` has each observation as
//! it came, `cases/CASE/sealed-DIGEST/` the sealed case, `cases/CASE/reviews/` its reviews.

use std::fmt::Display;

use futures_util::stream::{self, StreamExt};
use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::alert::Note;
use handsoff_core::group::digest;
use handsoff_core::policy::Policy;
use handsoff_runtime::stored::{self, Growing, Was, known};
use handsoff_runtime::{
    AT_ONCE, Change, Clock, Document, Due, Episode, Notes, Range, RuntimeError, Task, World, update,
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::facts::{Facts, KnownBy};
use crate::grant::Grant;
use crate::manifest::sha256;
use crate::observation::{Did, Ended, Observation, Seen};
use crate::review::Review;
use crate::seal::folder;
use crate::session::Session;

const GRANTS: &str = "grants";

const READ: &str = "reading a stored call";

/// The sort key of what was sealed.
pub const CASE: &str = "case";

/// How many grants are looked at: those that end first after a session's beginning.
const GRANTS_READ: usize = 1_000;

/// How many calls are looked at before a session's end: its beginning says nearly all.
const LOOK_AT: usize = 200;

/// How many calls are read at once.
const PAGE: usize = 500;

/// A call as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The call.
    pub call: Observation,
    /// What its record says of the session.
    pub facts: Facts,
}

impl Remembered {
    fn sort(&self) -> String {
        let by = if self.call.seen.contains(&Seen::LookupEvents) { "lookup" } else { "live" };
        format!("call#{}#{by}", self.call.sort())
    }

    /// Where the observation stands in the archive: its time and key, in the order of the case.
    fn file(&self, case: &str) -> String {
        let time = self.call.time.map_or_else(|| "no-time".to_owned(), |at| at.format("%Y%m%dT%H%M%SZ"));
        format!("{}{time}-{}.json", live_prefix(case), self.call.key)
    }
}

/// Where a case's files stand in the archive.
pub fn prefix(case: &str) -> String {
    format!("cases/{}/", folder(case))
}

fn live_prefix(case: &str) -> String {
    format!("{}live/", prefix(case))
}

/// The names in a stored call to which later versions add.
const GROWING: [Growing; 4] = [
    // What isn't known to be harmless is taken for a change that was made.
    Growing { field: "did", knows: known::<Did>, stand_in: |_| "write" },
    Growing { field: "ended", knows: known::<Ended>, stand_in: |_| "succeeded" },
    Growing { field: "seen", knows: known::<Seen>, stand_in: |_| "logs" },
    Growing { field: "people", knows: known::<KnownBy>, stand_in: |_| "session-name" },
];

fn read(clock: &impl Clock, what: &'static str, text: &str) -> Option<Remembered> {
    stored::read(clock, what, text, &GROWING)
}

/// What is written and not stored by its version: reviews, which are files of a case.
fn written<T: Serialize>(value: &T) -> Result<String, RuntimeError> {
    serde_json::to_string(value).map_err(|error| RuntimeError::stored("writing a case as JSON", error))
}

/// Remembers calls. To remember them again changes nothing.
///
/// # Errors
/// The first failure.
pub async fn remember(world: &impl World, case: &str, calls: &[Remembered]) -> Result<(), RuntimeError> {
    let puts = calls
        .iter()
        .map(|call| async move { world.put(case, &call.sort(), &stored::text(call)?).await.map(drop) });
    first_failure(stream::iter(puts).buffer_unordered(AT_ONCE)).await
}

/// Puts calls into the archive, as they came.
///
/// # Errors
/// The first failure.
pub async fn archive(world: &impl World, case: &str, calls: &[Remembered]) -> Result<(), RuntimeError> {
    let stores =
        calls.iter().map(|call| async move { world.store(&call.file(case), &stored::text(call)?).await });
    first_failure(stream::iter(stores).buffer_unordered(AT_ONCE)).await
}

async fn first_failure(
    results: impl stream::Stream<Item = Result<(), RuntimeError>>,
) -> Result<(), RuntimeError> {
    results.fold(Ok(()), |all, one| async move { all.and(one) }).await
}

/// A session's calls, page by page, in their order; what several sources reported of one is one.
#[derive(Debug)]
pub struct Calls<'c> {
    case: &'c str,
    from: String,
    page: std::vec::IntoIter<String>,
    full: bool,
    next: Option<Remembered>,
}

impl<'c> Calls<'c> {
    /// All calls of a case.
    pub fn of(case: &'c str) -> Self {
        Self { case, from: "call#".into(), page: Vec::new().into_iter(), full: true, next: None }
    }

    async fn read(&mut self, world: &impl World) -> Result<Option<Remembered>, RuntimeError> {
        loop {
            for text in self.page.by_ref() {
                // One that can't be read must not hide the others.
                if let Some(call) = read(world, READ, &text) {
                    // The least key behind this one.
                    self.from = call.sort() + "\0";
                    return Ok(Some(call));
                }
            }
            if !self.full {
                return Ok(None);
            }
            let range =
                Range { partition: self.case, from: &self.from, to: "call#~", most: PAGE, backwards: false };
            let page = world.range(range).await?;
            self.full = page.len() == PAGE;
            self.page = page.into_iter();
        }
    }

    /// The next call.
    ///
    /// # Errors
    /// When the memory can't be read.
    pub async fn next(&mut self, world: &impl World) -> Result<Option<Remembered>, RuntimeError> {
        let mut call = match self.next.take() {
            Some(call) => call,
            None => match self.read(world).await? {
                Some(call) => call,
                None => return Ok(None),
            },
        };
        while let Some(other) = self.read(world).await? {
            if other.call.sort() != call.call.sort() {
                self.next = Some(other);
                break;
            }
            call.call.merge(other.call);
            call.facts.merge(other.facts);
        }
        Ok(Some(call))
    }
}

/// A session as far as its first and last calls tell; `None` if it has no calls.
///
/// # Errors
/// When the memory can't be read.
pub async fn session<'p>(
    world: &impl World,
    case: &str,
    policy: &'p Policy,
) -> Result<Option<Session<'p>>, RuntimeError> {
    let first = Range { partition: case, from: "call#", to: "call#~", most: LOOK_AT, backwards: false };
    let last = Range { most: 1, backwards: true, ..first };
    let mut facts = Facts::default();
    let mut any = false;
    for text in world.range(first).await?.into_iter().chain(world.range(last).await?) {
        if let Some(call) = read(world, READ, &text) {
            any = true;
            facts.merge(call.facts);
        }
    }
    if !any {
        return Ok(None);
    }
    let grants = grants(world, &facts).await?;
    Ok(Some(Session::new(case, facts, grants, policy)))
}

/// Remembers a grant.
///
/// # Errors
/// When it can't be written.
pub async fn remember_grant(world: &impl World, grant: &Grant) -> Result<(), RuntimeError> {
    // The key is the grant's, whatever the form that it is stored in.
    let sort = format!("grant#{}#{}", grant.until, digest(&[&written(grant)?]));
    world.put(GRANTS, &sort, &stored::text(grant)?).await.map(drop)
}

/// The grants that may be of a session: those that end after its beginning.
///
/// # Errors
/// When they can't be read.
pub async fn grants(world: &impl World, facts: &Facts) -> Result<Vec<Grant>, RuntimeError> {
    let began = facts.started.first().copied().or(facts.first).unwrap_or(Time::EPOCH);
    let from = format!("grant#{began}");
    let range = Range { partition: GRANTS, from: &from, to: "grant#~", most: GRANTS_READ, backwards: false };
    let texts = world.range(range).await?;
    // Without a grant that can't be read a session is reported as unapproved.
    Ok(texts.iter().filter_map(|text| stored::read(world, "reading a stored grant", text, &[])).collect())
}

/// What a session's messages say beyond its findings.
#[derive(Clone, Copy, Debug)]
pub struct SessionNotes<'p>(pub &'p Policy);

impl Notes for SessionNotes<'_> {
    async fn notes(&self, world: &impl World, episode: &Episode) -> Result<Vec<Note>, RuntimeError> {
        let Some(session) = session(world, &episode.incident, self.0).await? else { return Ok(Vec::new()) };
        let state = Note::new("state", session.state(world.now()).as_str());
        Ok([state].into_iter().chain(session.notes()).collect())
    }
}

/// What was sealed of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The manifest's digest.
    pub digest: String,
    /// When it was sealed, by the sweep's clock.
    pub at: Time,
    /// Those that the session may have been: none of them reviews it.
    pub suspects: Vec<String>,
    /// When CloudTrail is to be asked once more: its credentials may live longer than it was seen in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_again: Option<Time>,
    /// Whether a message reported this digest.
    pub told: bool,
    /// The first review of it.
    #[serde(deserialize_with = "review")]
    pub review: Option<Review>,
    /// What was read.
    #[serde(skip)]
    was: Was,
}

/// Nothing is sealed yet.
impl Default for Sealed {
    fn default() -> Self {
        let (digest, at, was) = (String::new(), Time::EPOCH, Was::default());
        Self { digest, at, suspects: Vec::new(), look_again: None, told: false, review: None, was }
    }
}

/// A review as this version knows it: as an event it may have no other fields, stored it may.
fn review<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Review>, D::Error> {
    let Some(mut fields) = Option::<Map<String, Value>>::deserialize(deserializer)? else { return Ok(None) };
    fields.retain(|field, _| ["case", "digest", "reviewer", "note", "time"].contains(&&**field));
    serde_json::from_value(Value::Object(fields)).map(Some).map_err(serde::de::Error::custom)
}

/// The document of what was sealed of a case. It is open until it is reviewed.
#[derive(Clone, Copy, Debug)]
pub struct Case<'c> {
    /// The case.
    pub id: &'c str,
    /// Within how long it is to be reviewed.
    pub review_within: TimeDelta,
}

impl Document for Case<'_> {
    type State = Sealed;

    const CHANGE: &'static str = "keeping a review";

    fn keys(&self) -> (String, String) {
        (self.id.to_owned(), CASE.to_owned())
    }

    fn parse(&self, _: &impl Clock, text: &str) -> Result<Sealed, RuntimeError> {
        let sealed: Sealed = serde_json::from_str(text)
            .map_err(|error| RuntimeError::stored("reading a sealed case", error))?;
        Ok(Sealed { was: Was::of(text), ..sealed })
    }

    fn text(&self, sealed: &Sealed) -> Result<String, RuntimeError> {
        let again = |whole: &Value| serde_json::from_value(whole.clone()).unwrap_or_else(|_| sealed.clone());
        sealed.was.text(sealed, again)
    }

    fn due(&self, sealed: &Sealed) -> Option<Due> {
        let late = sealed.at + self.review_within + TimeDelta::seconds(1);
        let at = sealed.look_again.map_or(late, |again| again.min(late));
        sealed.review.is_none().then_some(Due { task: Task::Case, at, waiting: None })
    }
}

/// What came of a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reviewed {
    /// It is kept.
    Kept,
    /// It isn't one of this case as it is, and why.
    Refused(String),
}

/// Keeps a review, if it is of the case as it was sealed, and by somebody else than its person.
///
/// # Errors
/// When something can't be read or written; to do it again is safe.
pub async fn keep_review(
    world: &impl World,
    review: &Review,
    review_within: TimeDelta,
) -> Result<Reviewed, RuntimeError> {
    let case = Case { id: &review.case, review_within };
    let kept = update(world, &case, async |held| {
        let refused = |why: &dyn Display| Ok(Change::Leave(Reviewed::Refused(format!("no review: {why}"))));
        if !held.exists() {
            return refused(&format!("no case {} is sealed", review.case));
        }
        let sealed = &mut held.state;
        if !sealed.digest.eq_ignore_ascii_case(&review.digest) {
            return refused(&format!("{} is sealed with digest {}", review.case, sealed.digest));
        }
        if let Err(why) =
            crate::review::is_somebody_else(&review.reviewer, sealed.suspects.iter().map(|it| &**it))
        {
            return refused(&why);
        }
        let text = written(review)?;
        let short: String = sha256(text.as_bytes()).chars().take(16).collect();
        world.store(&format!("{}reviews/{short}.json", prefix(&review.case)), &text).await?;
        if sealed.review.is_some() {
            return Ok(Change::Leave(Reviewed::Kept));
        }
        sealed.review = Some(review.clone());
        Ok(Change::Write(Reviewed::Kept))
    });
    kept.await
}

/// The names of a case's archived calls, in their order.
struct Names {
    prefix: String,
    behind: String,
    page: std::vec::IntoIter<String>,
    full: bool,
}

impl Names {
    async fn next(&mut self, world: &impl World) -> Result<Option<String>, RuntimeError> {
        if self.page.len() == 0 && self.full {
            let page = world.list(&self.prefix, &self.behind).await?;
            self.full = page.len() == 1000;
            self.page = page.into_iter();
        }
        let next = self.page.next();
        if let Some(next) = &next {
            self.behind.clone_from(next);
        }
        Ok(next)
    }
}

/// Puts back into the memory what only the archive has of a session's calls, and into the archive what only the
/// memory has: whoever wants to remove a call has to remove it from both. Gives how many calls the memory lacked.
///
/// # Errors
/// When either can't be read or written.
pub async fn reconcile(world: &impl World, case: &str) -> Result<usize, RuntimeError> {
    let mut calls = Calls::of(case);
    let mut names =
        Names { prefix: live_prefix(case), behind: String::new(), page: Vec::new().into_iter(), full: true };
    let (mut call, mut name) = (calls.next(world).await?, names.next(world).await?);
    let mut lacked = 0;
    loop {
        let file = call.as_ref().map(|call| call.file(case));
        match (&file, &name) {
            (None, None) => return Ok(lacked),
            (Some(file), Some(listed)) if file == listed => {
                call = calls.next(world).await?;
                name = names.next(world).await?;
            }
            (Some(file), listed) if listed.as_ref().is_none_or(|listed| file < listed) => {
                // What only LookupEvents reported came later, and stands in the sealed case.
                let live = call.as_ref().filter(|call| call.call.seen.contains(&Seen::EventBridge));
                if let Some(live) = live {
                    // As it is stored: another version may have known more of it.
                    let (sort, most) = (format!("call#{}#live", live.call.sort()), 1);
                    let range = Range { partition: case, from: &sort, to: &sort, most, backwards: false };
                    if let Some(text) = world.range(range).await?.first() {
                        world.store(file, text).await?;
                    }
                }
                call = calls.next(world).await?;
            }
            (_, None) => call = calls.next(world).await?,
            (_, Some(listed)) => {
                let text = world.load(listed).await?;
                if let Some(found) = read(world, "reading an archived call", &text) {
                    world.put(case, &found.sort(), &text).await?;
                    lacked += 1;
                }
                name = names.next(world).await?;
            }
        }
    }
}
