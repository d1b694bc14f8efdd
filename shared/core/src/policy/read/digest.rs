//! `[digest]`.

use super::{Reader, Section};
use crate::policy::DigestHours;
use crate::policy::digest::WEEKDAYS;

impl Reader<'_> {
    pub(super) fn digest(&mut self, section: &Section<'_>, digest: &mut DigestHours) {
        self.known(section, &["hour", "weekdays"]);
        if let Some(value) = section.get("hour") {
            let number = value.get_ref().as_integer();
            let hour = number.and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
            match hour.filter(|hour| (0..24).contains(hour)) {
                Some(hour) => digest.hour = hour,
                None => self.error(value.span(), "`hour` should be an hour of UTC, 0 to 23"),
            }
        }
        let Some(days) = self.strings(section, "weekdays") else { return };
        digest.weekdays = [false; 7];
        for (day, at) in days {
            let place = WEEKDAYS.iter().position(|known| *known == day);
            if let Some(own) = place.and_then(|place| digest.weekdays.get_mut(place)) {
                *own = true;
            } else {
                let message = format!("`{day}` is none of {}", WEEKDAYS.join(", "));
                self.slip((&day, at), &message, &WEEKDAYS);
            }
        }
    }
}
