//! Which files there are and what kind of record stands where in them. Cheap, so that whoever
//! writes one file can look up what another one holds.

use std::collections::BTreeMap;

use crate::clock::START;
use crate::noise::mix;
use crate::world::{ACCOUNTS, REGIONS};

/// Files delivered in one go, every five minutes.
const FILES_A_TICK: usize = 6;
const TICK: i64 = 300;
/// How much more often the first account and region are seen than the others, and how large their
/// files are.
const ACCOUNT_WEIGHTS: [u32; 3] = [50, 30, 20];
const REGION_WEIGHTS: [u32; 4] = [45, 25, 18, 12];
const REGION_SIZES: [(u64, u64); 4] = [(1_100, 1_500), (500, 1_300), (100, 700), (5, 150)];

/// One log file to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlan {
    /// Which of the accounts.
    pub account: usize,
    /// Which of its regions.
    pub region: usize,
    /// When it is delivered, in seconds since 1970.
    pub delivered: i64,
    /// How many records it holds.
    pub records: u64,
    /// What its contents follow from.
    pub seed: u64,
    /// An earlier file of the same account and region, that this one repeats records of.
    pub twin: Option<usize>,
}

/// What kind of record it is: who acts, and whether anything changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Somebody looks at something.
    Read,
    /// The deploy role changes something.
    DeployWrite,
    /// AWS changes something.
    ServiceWrite,
    /// Running software changes something.
    WorkloadWrite,
    /// A person changes something.
    HumanWrite,
    /// Something is refused.
    Denial,
    /// Root, or a service for it.
    Root,
    /// Somebody signs in.
    SignIn,
    /// A record that another file has already.
    Repeat,
}

/// One record to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// What kind it is.
    pub kind: Kind,
    /// What the record follows from.
    pub seed: u64,
    /// What it shares with its neighbours: one caller at work, or refused again and again.
    pub run: u64,
}

/// The kinds by their share of 100,000 records. Denials come in bursts and are not among them;
/// neither are repeats in a file that has no twin.
const SHARES: [(Kind, u32); 7] = [
    (Kind::DeployWrite, 10_000),
    (Kind::ServiceWrite, 3_000),
    (Kind::WorkloadWrite, 1_000),
    (Kind::HumanWrite, 100),
    (Kind::Root, 20),
    (Kind::SignIn, 15),
    (Kind::Repeat, 500),
];
/// How many records one caller makes in a row, on average.
const RUN: u32 = 6;
/// How many bursts of denials begin in 100,000 records; with the lengths below half a percent of
/// all records is refused.
const BURSTS: u32 = 41;

/// The files that hold `records` records, in the order they are delivered.
pub fn files(records: u64, seed: u64) -> Vec<FilePlan> {
    let mut rng = fastrand::Rng::with_seed(mix(seed, 1));
    let mut plans = Vec::new();
    let mut previous = BTreeMap::new();
    let mut left = records;
    while left > 0 {
        let account = weighted(&ACCOUNT_WEIGHTS, &mut rng);
        let region = weighted(&REGION_WEIGHTS, &mut rng);
        let (least, most) = REGION_SIZES.get(region).copied().unwrap_or((1, 100));
        let size = rng.u64(least..=most).min(left);
        left -= size;
        let index = plans.len();
        let tick = i64::try_from(index / FILES_A_TICK).unwrap_or_default();
        plans.push(FilePlan {
            account,
            region,
            delivered: START + (tick + 1) * TICK,
            records: size,
            seed: mix(seed, 2 + index as u64),
            twin: previous.insert((account, region), index),
        });
    }
    plans
}

fn weighted(weights: &[u32], rng: &mut fastrand::Rng) -> usize {
    let mut roll = rng.u32(..weights.iter().sum::<u32>().max(1));
    weights
        .iter()
        .position(|&weight| {
            let found = roll < weight;
            roll = roll.saturating_sub(weight);
            found
        })
        .unwrap_or_default()
}

impl FilePlan {
    /// The account's number.
    pub fn account_id(&self) -> &'static str {
        ACCOUNTS.get(self.account).copied().unwrap_or_default()
    }

    /// The region's name.
    pub fn region_name(&self) -> &'static str {
        REGIONS.get(self.region).copied().unwrap_or_default()
    }

    /// What stands where in the file.
    pub fn slots(&self) -> Vec<Slot> {
        let mut rng = fastrand::Rng::with_seed(self.seed);
        let mut burst = (0, 0_u32);
        let mut run = 0;
        (0..self.records)
            .map(|_| {
                let seed = rng.u64(..);
                if burst.1 > 0 && rng.bool() {
                    burst.1 -= 1;
                    return Slot { kind: Kind::Denial, seed, run: burst.0 };
                }
                if rng.u32(..100_000) < BURSTS {
                    let id = rng.u64(..);
                    burst = (id, burst_length(Refused::of(id), &mut rng));
                    return Slot { kind: Kind::Denial, seed, run: burst.0 };
                }
                if rng.u32(..RUN) == 0 {
                    run = rng.u64(..);
                }
                Slot { kind: self.draw(&mut rng), seed, run }
            })
            .collect()
    }

    fn draw(&self, rng: &mut fastrand::Rng) -> Kind {
        let mut roll = rng.u32(..100_000);
        for (kind, share) in SHARES {
            if roll < share {
                return if kind == Kind::Repeat && self.twin.is_none() { Kind::Read } else { kind };
            }
            roll -= share;
        }
        Kind::Read
    }
}

/// Who is refused in a burst of denials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A person tries something, a few times.
    Person,
    /// AWS looks at what it may not look at.
    Service,
    /// Software tries again and again.
    Software,
}

impl Refused {
    /// Who it is in the burst of that number.
    pub fn of(burst: u64) -> Self {
        match burst % 10 {
            0..=1 => Self::Person,
            2..=8 => Self::Service,
            _ => Self::Software,
        }
    }
}

/// How many refusals follow the first one.
fn burst_length(refused: Refused, rng: &mut fastrand::Rng) -> u32 {
    match refused {
        Refused::Person => rng.u32(0..6),
        Refused::Service => rng.u32(4..20),
        Refused::Software => rng.u32(15..40),
    }
}

#[cfg(test)]
mod tests {
    use super::files;

    #[test]
    fn files_hold_what_is_asked_for() {
        let plans = files(100_000, 7);
        assert_eq!(plans.iter().map(|plan| plan.records).sum::<u64>(), 100_000);
        assert_eq!(plans.first().unwrap().slots().len() as u64, plans.first().unwrap().records);
        assert!(plans.iter().all(|plan| plan.records <= 1_500));
        assert!(plans.len() > 70, "{} files", plans.len());
        assert_eq!(plans, files(100_000, 7));
        assert_ne!(plans, files(100_000, 8));
    }

    #[test]
    fn a_twin_is_an_earlier_file_of_the_same_place() {
        let plans = files(50_000, 7);
        for (index, plan) in plans.iter().enumerate() {
            let Some(twin) = plan.twin else { continue };
            assert!(twin < index);
            assert_eq!((plans[twin].account, plans[twin].region), (plan.account, plan.region));
        }
    }
}
