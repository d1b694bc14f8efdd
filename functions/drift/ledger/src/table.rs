//! The table of which resource an operation changes, and where its record names it. `data/resources.txt` explains itself.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use handsoff_cloudtrail::Record;
use handsoff_cloudtrail::json::Raw;

/// What an operation does to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// It makes one.
    Makes,
    /// It changes one.
    Changes,
    /// It deletes one.
    Deletes,
}

/// The operations of one service.
#[derive(Debug, Default)]
pub(crate) struct Service {
    /// Whether its resources are the account's, whatever the Region.
    pub(crate) global: bool,
    rows: Vec<Row>,
}

/// A row: the operations that change one kind of resource, named at one place.
#[derive(Debug)]
pub(crate) struct Row {
    /// The resource's type, as in its ARN.
    pub(crate) kind: &'static str,
    /// What they do to it.
    pub(crate) does: Does,
    places: Vec<Place>,
    operations: Vec<&'static str>,
}

/// Where the resource is named: members that are joined by a slash, of which some may be missing.
#[derive(Debug)]
struct Place(Vec<(Path, bool)>);

#[derive(Debug)]
enum Path {
    Request(Vec<&'static str>),
    Response(Vec<&'static str>),
    /// A type of the record's `resources`.
    Resources(&'static str),
}

const TEXT: &str = include_str!("../data/resources.txt");

/// What isn't read of the table, which a test shows to be nothing, is unknown.
static TABLE: LazyLock<HashMap<&'static str, Service>> = LazyLock::new(|| {
    let mut table: HashMap<&'static str, Service> = HashMap::new();
    let mut own = "";
    for line in TEXT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some((name, scope)) = line.strip_prefix('[').and_then(|line| line.split_once("] ")) {
            own = name;
            table.entry(own).or_default().global = scope.starts_with("global ");
        } else if let Some(row) = Row::read(line) {
            table.entry(own).or_default().rows.push(row);
        }
    }
    table
});

/// The longest list of one call's resources, as of `CreateTags`.
const MOST: usize = 1000;

/// A service, by IAM's prefix.
pub(crate) fn service(name: &str) -> Option<&'static Service> {
    TABLE.get(name)
}

/// The rows that name an operation: the service's own, then those of all services.
pub(crate) fn rows(service: &str, operation: &str) -> impl Iterator<Item = &'static Row> {
    let own = TABLE.get(service).into_iter().chain(TABLE.get("*"));
    let rows = own.flat_map(|service| &service.rows);
    rows.filter(move |row| row.operations.iter().any(|pattern| is_match(pattern, operation)))
}

/// Whether an operation is one that a pattern with at most one `*` names; case doesn't matter.
fn is_match(pattern: &str, operation: &str) -> bool {
    let Some((start, end)) = pattern.split_once('*') else {
        return pattern.eq_ignore_ascii_case(operation);
    };
    let has = |part: Option<&str>, of: &str| part.is_some_and(|part| part.eq_ignore_ascii_case(of));
    let from = operation.len().checked_sub(end.len());
    operation.len() >= start.len() + end.len()
        && has(operation.get(..start.len()), start)
        && has(from.and_then(|from| operation.get(from..)), end)
}

impl Row {
    fn read(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ');
        let kind = words.next()?;
        let does = match words.next()? {
            "makes" => Does::Makes,
            "changes" => Does::Changes,
            "deletes" => Does::Deletes,
            _ => return None,
        };
        let places: Option<Vec<Place>> = words.next()?.split('|').map(Place::read).collect();
        let operations: Vec<&'static str> = words.collect();
        (!operations.is_empty()).then_some(Self { kind, does, places: places?, operations })
    }

    /// The names that stand at the first of its places that has any.
    pub(crate) fn names<'r>(&self, record: &Record<'r>) -> Vec<Cow<'r, str>> {
        let mut found = self.places.iter().map(|place| place.names(record));
        found.find(|names| !names.is_empty()).unwrap_or_default()
    }
}

impl Place {
    fn read(text: &'static str) -> Option<Self> {
        let part = |part: &'static str| {
            let (path, may_miss) = part.strip_suffix('?').map_or((part, false), |part| (part, true));
            Some((Path::read(path)?, may_miss))
        };
        text.split('+').map(part).collect::<Option<Vec<_>>>().map(Self)
    }

    fn names<'r>(&self, record: &Record<'r>) -> Vec<Cow<'r, str>> {
        if let [(path, _)] = self.0.as_slice() {
            return path.names(record);
        }
        let mut joined = String::new();
        for (path, may_miss) in &self.0 {
            match path.names(record).first() {
                Some(name) if joined.is_empty() => joined.push_str(name),
                Some(name) => joined.extend(["/", name]),
                None if *may_miss => {}
                None => return Vec::new(),
            }
        }
        vec![Cow::Owned(joined)]
    }
}

impl Path {
    fn read(text: &'static str) -> Option<Self> {
        if let Some(kind) = text.strip_prefix("resources:") {
            return Some(Self::Resources(kind));
        }
        let (root, members) = text.split_once('.')?;
        let members = members.split('.').collect();
        match root {
            "request" => Some(Self::Request(members)),
            "response" => Some(Self::Response(members)),
            _ => None,
        }
    }

    fn names<'r>(&self, record: &Record<'r>) -> Vec<Cow<'r, str>> {
        let found = match self {
            Self::Request(members) => walk(record.request_parameters, members),
            Self::Response(members) => walk(record.response_elements, members),
            Self::Resources(kind) => {
                let is = |it: &Raw<'_>| it.get("type").and_then(Raw::text).as_deref() == Some(kind);
                let arn = |it: Raw<'r>| it.get("ARN").or_else(|| it.get("arn"));
                record.resources.elements().flatten().filter(is).filter_map(arn).take(MOST).collect()
            }
        };
        found.into_iter().filter_map(Raw::text).collect()
    }
}

/// The values at the end of a path. A list where one is expected has one element at least: EC2 writes an object where
/// another call has a list.
fn walk<'r>(value: Raw<'r>, members: &[&str]) -> Vec<Raw<'r>> {
    let mut values = vec![value];
    for member in members {
        let (member, each) = member.strip_suffix("[]").map_or((*member, false), |member| (member, true));
        let of = |value: Raw<'r>| {
            let is = |name: &str| name.eq_ignore_ascii_case(member) || (member == "*" && is_wrapper(name));
            value.members().flatten().filter(|(name, _)| is(name)).last().map(|(_, value)| value)
        };
        values = values.into_iter().filter_map(of).collect();
        if each {
            let elements = |value: Raw<'r>| -> Vec<Raw<'r>> {
                if value.is_array() { value.elements().flatten().take(MOST).collect() } else { vec![value] }
            };
            values = values.into_iter().flat_map(elements).take(MOST).collect();
        }
    }
    values
}

/// Whether it is the member that EC2 wraps a request or a response in: `CreateNatGatewayRequest`.
fn is_wrapper(name: &str) -> bool {
    ["Request", "Response", "Req"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_of_the_table_is_read_and_has_a_source() {
        let (mut rows, mut services) = (0, 0);
        for line in TEXT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(header) = line.strip_prefix('[') {
                let (_, rest) = header.split_once("] ").expect(line);
                let (scope, source) = rest.split_once(' ').expect(line);
                assert!(["global", "regional"].contains(&scope) && source.len() > 10, "{line}");
                services += 1;
            } else {
                assert!(Row::read(line).is_some(), "{line}");
                rows += 1;
            }
        }
        assert!(rows > 150 && services > 25, "{rows} rows of {services} services");
        assert_eq!(TABLE.len(), services, "a service has one section");
        assert_eq!(TABLE.values().map(|service| service.rows.len()).sum::<usize>(), rows);
    }

    /// A row for what is no operation, or for a read, is a slip of the pen.
    #[test]
    fn the_operations_are_those_of_the_reference() {
        let known: BTreeSet<String> = handsoff_cloudtrail::operations()
            .map(|(service, operation)| format!("{service}:{operation}").to_ascii_lowercase())
            .collect();
        let mut unknown = Vec::new();
        for (name, service) in TABLE.iter().filter(|(name, _)| **name != "*") {
            for operation in service.rows.iter().flat_map(|row| &row.operations) {
                let listed = known
                    .iter()
                    .filter_map(|it| it.split_once(':'))
                    .any(|(of, it)| of == *name && is_match(operation, it));
                if !listed {
                    unknown.push(format!("{name}:{operation}"));
                }
            }
        }
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn a_pattern_has_one_star_anywhere() {
        for (pattern, operation) in [
            ("PutRolePolicy", "putRolePolicy"),
            ("*RolePolicy", "DetachRolePolicy"),
            ("Put*", "PutBucketPolicy"),
            ("Put*", "Put"),
            ("*FromDBCluster", "RemoveRoleFromDBCluster"),
        ] {
            assert!(is_match(pattern, operation), "{pattern} {operation}");
        }
        for (pattern, operation) in [
            ("PutRolePolicy", "PutRolePolicyX"),
            ("*RolePolicy", "DeleteRole"),
            ("Put*Policy", "PutPolic"),
            ("ab*ba", "aba"),
            ("Put*", "Pü"),
        ] {
            assert!(!is_match(pattern, operation), "{pattern} {operation}");
        }
    }
}
