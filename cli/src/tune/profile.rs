//! What the facts of the logs add up to, each event once: for each identity what it changed and who assumed it.

use std::collections::BTreeMap;
use std::io;

use handsoff_cloudtrail::Time;

use super::fact::{Fact, Form, Id, Made, Origin, Sort, What};
use super::few::Few;
use super::observe::{Days, Gathered, IDENTITIES, Use};

/// How often and when.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) count: u64,
    pub(super) days: Days,
}

impl Seen {
    fn add(&mut self, time: Option<Time>) {
        self.count += 1;
        if let Some(time) = time {
            self.days.at(&time.day());
        }
    }

    /// The first day, as a date.
    pub(super) fn first(&self) -> String {
        self.days.keys().next().map_or("an unknown day".into(), |day| date(*day))
    }
}

/// The date of a day since 1970.
pub(super) fn date(day: i64) -> String {
    Time::of_day(day).date()
}

/// Who made something, and when.
#[derive(Clone, Debug, Default)]
pub(super) struct Making {
    pub(super) seen: Seen,
    /// `None`: somebody who is neither role nor user.
    pub(super) by: Few<Option<Id>, u64, 8>,
}

/// What is known of an identity.
#[derive(Clone, Debug, Default)]
pub(super) struct Profile {
    pub(super) used: Use,
    pub(super) changes: Seen,
    pub(super) actions: Few<(Sort, String), Seen, 200>,
    /// All sorts, whether or not their actions are held one by one.
    pub(super) sorts: BTreeMap<Sort, Seen>,
    pub(super) via: Few<String, u64, 16>,
    pub(super) origins: Few<Origin, Seen, 64>,
    /// How often people assumed it, whether or not they are held one by one.
    pub(super) assumed_by_people: u64,
    /// It was made in these logs, or its trust was changed.
    pub(super) made: Option<Making>,
}

/// The denied calls of a principal.
#[derive(Clone, Debug, Default)]
pub(super) struct Denied {
    pub(super) who: Option<Id>,
    pub(super) human: bool,
    /// The first ones, by time: what was called, and whether a page of the console asked.
    pub(super) calls: Few<(Time, u64), (String, bool), 20_000>,
}

/// What the logs add up to.
#[derive(Default)]
pub(super) struct Logs {
    pub(super) days: Days,
    /// The accounts that the records were written for.
    pub(super) accounts: Few<String, (), 1_000>,
    pub(super) profiles: Few<Id, Profile, IDENTITIES>,
    pub(super) changes: u64,
    pub(super) by_people: u64,
    pub(super) providers: Few<String, Making, 64>,
    pub(super) denied: Few<String, Denied, IDENTITIES>,
}

impl Logs {
    /// Adds up.
    ///
    /// # Errors
    /// When the temporary file can't be read back.
    pub(super) fn of(gathered: Gathered) -> io::Result<Self> {
        let mut logs = Self { days: gathered.days, accounts: gathered.accounts, ..Self::default() };
        for (id, used) in gathered.uses.iter() {
            if let Some(profile) = logs.profiles.at(id) {
                profile.used = used.clone();
            }
        }
        let mut last = None;
        for fact in gathered.facts.sorted().iter() {
            let fact = fact?;
            if last.replace(fact.key) != Some(fact.key) {
                logs.add(fact);
            }
        }
        Ok(logs)
    }

    fn add(&mut self, fact: Fact) {
        let Fact { key, time, who, human, what } = fact;
        match what {
            What::Change { action, sort, via, made } => {
                self.changes += 1;
                self.by_people += u64::from(human);
                if let Some(made) = made {
                    self.make(&made, who.as_ref(), time);
                }
                if let Some(profile) = who.and_then(|who| self.profiles.at(&who)) {
                    profile.change(action, sort, &via, time);
                }
            }
            What::Taken { role, by } => {
                if let Some(profile) = self.profiles.at(&role) {
                    profile.assumed_by_people += u64::from(matches!(by, Origin::Person(_)));
                    if let Some(seen) = profile.origins.at(&by) {
                        seen.add(time);
                    }
                }
            }
            What::Denied { group, action, browsing } => {
                if let (Some(time), Some(denied)) = (time, self.denied.at(&group)) {
                    denied.human |= human;
                    denied.who = denied.who.take().max(who);
                    if let Some(call) = denied.calls.at(&(time, key.0)) {
                        *call = (action, browsing);
                    }
                }
            }
        }
    }

    fn make(&mut self, made: &Made, by: Option<&Id>, time: Option<Time>) {
        let making = match made {
            Made::Role(role) => self.profiles.at(role).map(|it| it.made.get_or_insert_default()),
            Made::Provider(host) => self.providers.at(host),
        };
        if let Some(making) = making {
            making.seen.add(time);
            if let Some(count) = making.by.at(&by.cloned()) {
                *count += 1;
            }
        }
    }

    /// Whether more identities were seen than are looked at.
    pub(super) fn is_cut(&self) -> bool {
        self.profiles.is_cut() || self.providers.is_cut()
    }
}

impl Profile {
    fn change(&mut self, action: String, sort: Sort, via: &String, time: Option<Time>) {
        self.changes.add(time);
        self.sorts.entry(sort).or_default().add(time);
        if let Some(seen) = self.actions.at(&(sort, action)) {
            seen.add(time);
        }
        if let Some(count) = self.via.at(via) {
            *count += 1;
        }
    }

    /// What shows that a person uses it, if anything does.
    pub(super) fn person(&self, form: Form) -> Option<String> {
        if form != Form::Role {
            return Some("it is a person's by its kind".into());
        }
        if let Some(because) = self.used.human.iter().next() {
            return Some((*because).to_owned());
        }
        (self.assumed_by_people > 0).then(|| format!("people assumed it {} times", self.assumed_by_people))
    }

    /// The actions of the sorts that are asked for.
    pub(super) fn of_sort(&self, is: impl Fn(Sort) -> bool) -> impl Iterator<Item = (&str, Sort, &Seen)> {
        self.actions
            .iter()
            .filter(move |((sort, _), _)| is(*sort))
            .map(|((sort, name), seen)| (&**name, *sort, seen))
    }

    /// The roles and users that made it in these logs; `None` stands for anybody else.
    pub(super) fn makers(&self) -> impl Iterator<Item = Option<&Id>> {
        self.made.iter().flat_map(|made| made.by.keys().map(Option::as_ref))
    }
}
