//! `[accounts]`: what the team calls its accounts.

use std::collections::BTreeMap;

use super::{Reader, Section, is_account};

/// So long may an account's name be, to leave room for the rest of a subject.
const LONGEST_NAME: usize = 24;

impl Reader<'_> {
    pub(super) fn accounts(&mut self, section: &Section<'_>) -> BTreeMap<String, String> {
        let mut accounts = BTreeMap::new();
        for (account, value) in section.table {
            let id = account.get_ref();
            if !is_account(id) {
                let message =
                    format!("`{id}` of [accounts] is no account: its ID has twelve digits, in quotes");
                self.error(account.span(), message);
            }
            match value.get_ref().as_str() {
                None => self.wrong(value, id, "a name in quotes"),
                Some(name) if is_account_name(name) => {
                    accounts.insert(id.to_string(), name.to_owned());
                }
                Some(_) => {
                    let message = format!(
                        "the name of `{id}` is in the subjects of mails: write 1 to {LONGEST_NAME} printable \
                         ASCII characters, no space first or last"
                    );
                    self.error(value.span(), message);
                }
            }
        }
        accounts
    }
}

fn is_account_name(name: &str) -> bool {
    let printable = name.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    printable && !name.is_empty() && name.len() <= LONGEST_NAME && name.trim() == name
}
