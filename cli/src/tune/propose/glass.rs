//! Break-glass identities: seldom used, and called so. An entry reports more and not less, so a name is evidence enough.

use handsoff_core::show::clean;

use super::{Evidence, days, entry, some};
use crate::tune::fact::{Form, Id};
use crate::tune::profile::Profile;
use crate::tune::write::Entry;

/// What emergency identities are called.
const EMERGENCY: [&str; 8] = [
    "breakglass",
    "breaktheglass",
    "emergency",
    "firecall",
    "firefighter",
    "incident",
    "notfall",
    "disaster",
];

/// What administrators are called.
const ADMINISTRATOR: [&str; 3] = ["admin", "poweruser", "superuser"];

impl Evidence<'_> {
    /// Identities that look like an emergency's.
    pub(super) fn glass(&self) -> Vec<(&Id, Entry)> {
        let all = self.logs.profiles.iter();
        all.filter_map(|(id, profile)| Some((id, self.emergency(id, profile)?))).collect()
    }

    fn emergency(&self, id: &Id, profile: &Profile) -> Option<Entry> {
        let letters: String = id
            .name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|char| char.to_ascii_lowercase())
            .collect();
        let called = |words: &[&str]| words.iter().any(|word| letters.contains(word));
        let (emergency, administrator) = (called(&EMERGENCY), called(&ADMINISTRATOR));
        let named = self.named_glass(id, profile);
        let code = profile.person(id.form).is_none();
        if named.is_none()
            && (self.named_deploy(id, profile).is_some() || !(emergency || administrator && !code))
        {
            return None;
        }
        let mut entry = entry("break_glass", id, profile);
        let used = &profile.used;
        entry.note(format!("Used on {}; the logs have {}.", days(&used.days), self.logs.days.len()));
        if !used.people.is_empty() {
            let people = some(used.people.keys().map(|name| clean(name, 64)), 8);
            entry.note(format!("Used by {people}: list in `roster` who may."));
        }
        if let Some(line) = named {
            entry.refuse(&format!("{line} names it already"));
            return Some(entry);
        }
        entry.lines.push("max_session = \"1h\"".into());
        // A fifth of the days, and two at least: what is used more is a way to work.
        let seldom = used.days.len() <= (self.logs.days.len() / 5).max(2);
        if !emergency && (!seldom || used.people.len() > 2) {
            return None;
        }
        if !emergency {
            entry.doubt("only its name, and that few use it and seldom, suggest what it is for");
        } else if !seldom {
            entry.doubt("it is used too often for emergencies: each of its calls would be reported");
        } else if code && id.form == Form::Role {
            entry.doubt("nothing shows that people use it");
        }
        Some(entry)
    }
}
