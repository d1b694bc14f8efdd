//! Denied calls in the table.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::stream::{self, StreamExt};
use handsoff_cloudtrail::{Time, TimeDelta};
use handsoff_core::detector::Undecided;
use handsoff_core::{Finding, Key, Reported, group};
use handsoff_runtime::{AT_ONCE, Mark, Range, RuntimeError, World, stored};
use serde::Serialize;

use crate::day::{Day, Span, Try};
use crate::seen::{self, Seen, Shape};

/// How many are looked at: more than can be remembered, though several functions may pass the limit together.
pub(super) const LOOK_AT: usize = 4000;

/// How much of what was tried on two days that overlap is looked at. What lies below all limits of a day is less.
const TRIES: usize = 9000;

/// What is logged of an item that can't be read.
pub(super) const READ: &str = "reading a stored denied call";

/// Where the denied calls of a group are kept: as far as a verdict needs them, and whole. And what was tried on each day.
pub(super) struct Stored {
    brief: String,
    whole: String,
    tries: String,
}

/// That somebody reports what a day's calls become.
#[derive(Serialize)]
struct Claim {}

impl Stored {
    /// The places of a group.
    pub(super) fn of(group: &str) -> Self {
        let digest = seen::name(group);
        Self {
            brief: format!("denied#{digest}"),
            whole: whole_of(&digest),
            tries: format!("denied-day#{digest}"),
        }
    }

    /// Remembers denied calls, and says why those that are new were denied. Whole first: a function that finds one in brief finds it whole. A group of
    /// several has them in brief, and each principal's group has its own whole.
    pub(super) async fn keep(
        &self,
        world: &impl World,
        denials: &[&Undecided],
        group: &str,
    ) -> Result<Vec<&'static str>, RuntimeError> {
        let is_shared = Shape::of(group).is_shared();
        let puts = denials.iter().map(|denial| async move {
            let sort = sort(denial.finding.time, denial.key());
            if !is_shared {
                world.put(&self.whole, &sort, &stored::text(&Mark::new(&denial.finding))?).await?;
            }
            let new = world.put(&self.brief, &sort, &stored::text(&Seen::of(denial, group))?).await?;
            Ok::<_, RuntimeError>(denial.cause.filter(|_| new))
        });
        let puts: Vec<_> = stream::iter(puts).buffer_unordered(AT_ONCE).collect().await;
        let mut causes = Vec::new();
        for put in puts {
            causes.extend(put?);
        }
        Ok(causes)
    }

    /// Remembers what was tried, and reads all that was on these two days, which overlap; and whether something of its own is
    /// new. A retry within five minutes is no write more.
    pub(super) async fn tried(
        &self,
        world: &impl World,
        [first, last]: [Span; 2],
        own: &BTreeSet<Try>,
    ) -> Result<(BTreeSet<Try>, bool), RuntimeError> {
        let puts = own
            .iter()
            .map(|one| async move { world.put(&self.tries, &one.name(), &stored::text(one)?).await });
        let puts: Vec<_> = stream::iter(puts).buffer_unordered(AT_ONCE).collect().await;
        let mut is_new = false;
        for put in puts {
            is_new |= put?;
        }
        let (from, to) = (first.start.to_string(), last.end.to_string());
        // The first ones: where a day holds so many, it has held too much before.
        let range = Range { partition: &self.tries, from: &from, to: &to, most: TRIES, backwards: false };
        let texts = world.range(range).await?;
        let read = texts.iter().filter_map(|text| stored::read::<Try>(world, READ, text, &[]));
        Ok((read.chain(own.iter().cloned()).collect(), is_new))
    }

    /// Claims to report what a day's earlier calls become by what it holds now. Whether nobody has claimed it.
    pub(super) async fn claim(
        &self,
        world: &impl World,
        span: Span,
        day: &Day,
    ) -> Result<bool, RuntimeError> {
        let holds = group::digest(&[&format!("{day:?}")]);
        // Behind all tries, whose keys begin with their time.
        world.put(&self.tries, &format!("told#{}#{holds}", span.start), &stored::text(&Claim {})?).await
    }

    /// The denied calls from so long before the first time to so long after the last, in brief, the latest if there
    /// are too many.
    pub(super) async fn around(
        &self,
        world: &impl World,
        (first, last): (Time, Time),
        reach: TimeDelta,
        most: usize,
    ) -> Result<Vec<Seen>, RuntimeError> {
        self.between(world, &(first - reach).to_string(), &format!("{}#~", last + reach), most).await
    }

    /// Those between two sort keys.
    pub(super) async fn between(
        &self,
        world: &impl World,
        from: &str,
        to: &str,
        most: usize,
    ) -> Result<Vec<Seen>, RuntimeError> {
        let range = Range { partition: &self.brief, from, to, most, backwards: true };
        let texts = world.range(range).await?;
        // One that can't be read must not hide the others.
        Ok(texts.iter().filter_map(|text| stored::read(world, READ, text, &[])).collect())
    }

    /// Reads calls whole.
    pub(super) async fn read_whole(
        &self,
        world: &impl World,
        calls: &[&Seen],
        whole: &mut HashMap<Key, Finding>,
    ) -> Result<(), RuntimeError> {
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for call in calls {
            let own = || self.whole.clone();
            let place = call.who.as_ref().map_or_else(own, |who| whole_of(who));
            places.entry(place).or_default().push(sort(call.time, call.key));
        }
        let reads = places.into_iter().map(|(partition, sorts)| async move {
            let (Some(from), Some(to)) = (sorts.iter().min(), sorts.iter().max()) else {
                return Ok(Vec::new());
            };
            let range = Range { partition: &partition, from, to, most: LOOK_AT, backwards: true };
            world.range(range).await
        });
        // Those of an address are as many as its principals.
        let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
        while let Some(texts) = reads.next().await {
            let read = texts?;
            let read = read.iter().filter_map(|text| Mark::read(world, text).and_then(Reported::into_call));
            whole.extend(read.map(|finding| (finding.key, finding)));
        }
        Ok(())
    }
}

/// Where the calls of a group of this name are kept whole.
fn whole_of(name: &str) -> String {
    format!("denied-whole#{name}")
}

/// Where a call is stored in its partition.
pub(super) fn sort(time: Option<Time>, key: Key) -> String {
    let time = time.map(|time| time.to_string()).unwrap_or_default();
    format!("{time}#{:016x}", key.0)
}
