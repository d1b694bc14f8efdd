//! The organisation that the logs are about: its accounts and regions, and the names of what is in
//! them.

/// The accounts, the busiest first: the numbers that AWS's documentation uses.
pub(crate) const ACCOUNTS: [&str; 3] = ["111122223333", "444455556666", "777788889999"];

/// The regions, the busiest first.
pub(crate) const REGIONS: [&str; 4] = ["us-east-1", "eu-central-1", "us-west-2", "ap-southeast-2"];

const SYSTEMS: [&str; 16] = [
    "orders",
    "billing",
    "catalog",
    "search",
    "checkout",
    "identity",
    "shipping",
    "inventory",
    "pricing",
    "media",
    "reports",
    "ledger",
    "notify",
    "gateway",
    "fraud",
    "partner",
];
const PARTS: [&str; 8] = ["api", "worker", "events", "export", "sync", "web", "jobs", "stream"];
const STAGES: [&str; 3] = ["prod", "staging", "dev"];
const PEOPLE: [&str; 24] = [
    "amara.okafor",
    "ben.fischer",
    "chen.wei",
    "dana.kowalski",
    "elif.demir",
    "farid.haddad",
    "grace.lindqvist",
    "hiro.tanaka",
    "ines.carvalho",
    "jonas.weber",
    "kavya.iyer",
    "liam.oconnor",
    "maya.rosen",
    "noah.dubois",
    "olga.petrova",
    "pablo.ruiz",
    "quinn.murphy",
    "rosa.bianchi",
    "sven.nilsson",
    "tara.singh",
    "umar.farooq",
    "vera.novak",
    "wanjiru.mwangi",
    "yusuf.aydin",
];

/// `orders-api-prod` and the like: 384 names.
pub(crate) fn system(out: &mut String, index: u64) {
    out.push_str(one_of(&SYSTEMS, index));
    out.push('-');
    out.push_str(one_of(&PARTS, index / 16));
    out.push('-');
    out.push_str(one_of(&STAGES, index / 128));
}

/// Somebody.
pub(crate) fn person(index: u64) -> &'static str {
    one_of(&PEOPLE, index)
}

/// The entry of `list` that `index` chooses, however large it is.
pub(crate) fn one_of<T: Copy + Default>(list: &[T], index: u64) -> T {
    let index = usize::try_from(index % list.len().max(1) as u64).unwrap_or_default();
    list.get(index).copied().unwrap_or_default()
}
