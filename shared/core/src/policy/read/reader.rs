//! The values of a policy, by what they should be: each that isn't is a mistake with its place.

use std::ops::Range;

use handsoff_cloudtrail::TimeDelta;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::policy::error::{PolicyError, nearest, position};
use crate::policy::{ActionPattern, Glob, Line, PatternError, duration};
use crate::show::clean;

/// A table of the policy, where it stands, and what messages call it.
pub(super) struct Section<'t> {
    pub(super) table: &'t DeTable<'t>,
    pub(super) span: Range<usize>,
    pub(super) name: String,
}

impl<'t> Section<'t> {
    pub(super) fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }
}

/// A text of the policy, and where it stands.
pub(super) type Written = (String, Range<usize>);

pub(super) struct Reader<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) errors: Vec<PolicyError>,
}

impl Reader<'_> {
    pub(super) fn error(&mut self, span: Range<usize>, message: impl AsRef<str>) {
        self.errors.push(PolicyError::new(self.file, self.text, span, message.as_ref()));
    }

    /// A mistake that is likely a slip of the fingers, if anything that could stand there is near.
    pub(super) fn slip(&mut self, (written, span): (&str, Range<usize>), message: &str, known: &[&str]) {
        let error = PolicyError::new(self.file, self.text, span, message);
        let suggestion = nearest(written, known.iter().copied()).map(str::to_owned);
        self.errors.push(PolicyError { suggestion, ..error });
    }

    pub(super) fn line(&self, section: &Section<'_>) -> Line {
        let (line, _) = position(self.text, section.span.start);
        Line::new(&format!("{}:{line} {}", clean(self.file, 256), section.name))
    }

    pub(super) fn known(&mut self, section: &Section<'_>, keys: &[&str]) {
        for key in section.table.keys() {
            let written = key.get_ref().as_ref();
            if !keys.contains(&written) {
                let message =
                    format!("unknown key `{written}` in {}: it has {}", section.name, keys.join(", "));
                self.slip((written, key.span()), &message, keys);
            }
        }
    }

    pub(super) fn wrong(&mut self, value: &Spanned<DeValue<'_>>, key: &str, wanted: &str) {
        let message = format!("`{key}` should be {wanted}, and is of type {}", value.get_ref().type_str());
        self.error(value.span(), message);
    }

    pub(super) fn section<'t>(&mut self, parent: &Section<'t>, key: &str) -> Option<Section<'t>> {
        let value = parent.get(key)?;
        let name = format!("[{key}]");
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(value, key, &format!("a table: {name}"));
            return None;
        };
        Some(Section { table, span: value.span(), name })
    }

    pub(super) fn list<'t>(&mut self, parent: &Section<'t>, key: &str) -> Vec<Section<'t>> {
        let Some(value) = parent.get(key) else { return Vec::new() };
        let name = format!("[[{key}]]");
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(value, key, &format!("a list of tables: {name}"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for element in array {
            match element.get_ref().as_table() {
                Some(table) => sections.push(Section { table, span: element.span(), name: name.clone() }),
                None => self.wrong(element, key, &format!("a table: {name}")),
            }
        }
        sections
    }

    pub(super) fn flag(&mut self, section: &Section<'_>, key: &str) -> Option<bool> {
        let value = section.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(value, key, "true or false");
        }
        flag
    }

    pub(super) fn actions(&mut self, section: &Section<'_>, key: &'static str) -> Vec<ActionPattern> {
        let written = self.strings(section, key).unwrap_or_default();
        self.each(written, ActionPattern::parse)
    }

    pub(super) fn each<T>(
        &mut self,
        written: Vec<Written>,
        parse: impl Fn(&str) -> Result<T, PatternError>,
    ) -> Vec<T> {
        let mut parsed = Vec::new();
        for (text, at) in written {
            match parse(&text) {
                Ok(value) => parsed.push(value),
                Err(why) => self.error(at, format!("`{text}`: {why}")),
            }
        }
        parsed
    }

    pub(super) fn string(&mut self, section: &Section<'_>, key: &str) -> Option<Written> {
        let value = section.get(key)?;
        if let Some(text) = value.get_ref().as_str() {
            Some((text.to_owned(), value.span()))
        } else {
            self.wrong(value, key, "a string");
            None
        }
    }

    pub(super) fn required(&mut self, section: &Section<'_>, key: &str, what: &str) -> Option<String> {
        if section.get(key).is_none() {
            self.error(section.span.clone(), format!("{} needs `{key}`: {what}", section.name));
        }
        let (text, at) = self.string(section, key)?;
        if text.trim().is_empty() {
            self.error(at, format!("`{key}` is empty: write {what}"));
            return None;
        }
        Some(clean(&text, 400))
    }

    pub(super) fn strings(&mut self, section: &Section<'_>, key: &str) -> Option<Vec<Written>> {
        let value = section.get(key)?;
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(value, key, "a list of strings");
            return None;
        };
        let mut strings = Vec::new();
        for element in array {
            match element.get_ref().as_str() {
                Some(text) => strings.push((text.to_owned(), element.span())),
                None => self.wrong(element, key, "a list of strings"),
            }
        }
        Some(strings)
    }

    pub(super) fn globs(&mut self, section: &Section<'_>, key: &str) -> Option<Vec<Glob>> {
        Some(self.strings(section, key)?.iter().map(|(text, _)| Glob::new(text)).collect())
    }

    pub(super) fn number(&mut self, section: &Section<'_>, key: &str) -> Option<usize> {
        let value = section.get(key)?;
        let number = value.get_ref().as_integer().and_then(|number| {
            usize::from_str_radix(number.as_str(), number.radix()).ok().filter(|number| *number > 0)
        });
        if number.is_none() {
            self.error(value.span(), format!("`{key}` should be a whole number above 0"));
        }
        number
    }

    pub(super) fn duration(&mut self, section: &Section<'_>, key: &str) -> Option<TimeDelta> {
        let (written, span) = self.string(section, key)?;
        let length = duration(&written);
        if let Err(error) = &length {
            self.error(span, format!("`{written}` is {error}"));
        }
        length.ok()
    }
}
