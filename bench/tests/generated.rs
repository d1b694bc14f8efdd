//! What the generator writes: the same bytes for a seed, valid records, and the mix it promises.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests, outside of them")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use handsoff_bench::error::Error;
use handsoff_bench::generate::{Summary, generate};
use handsoff_bench::inflate::Inflater;
use handsoff_bench::listing::log_files;
use handsoff_bench::yardstick::{Mode, Tally, measure};
use serde_json::Value;

const RECORDS: u64 = 60_000;

/// All files by their path within `dir`.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = log_files(dir).unwrap();
    files
        .iter()
        .map(|file| {
            let name = file.strip_prefix(dir).unwrap().to_string_lossy().into_owned();
            (name, fs::read(file).unwrap())
        })
        .collect()
}

#[test]
fn a_seed_gives_the_same_bytes_however_many_threads() {
    let dirs = [(1, 1), (1, 3), (2, 1)].map(|(seed, threads)| {
        let dir = tempfile::tempdir().unwrap();
        let summary = generate(3_000, seed, dir.path(), threads).unwrap();
        (summary, contents(dir.path()))
    });
    assert_eq!(dirs[0], dirs[1]);
    assert_ne!(dirs[0].1, dirs[2].1);
    assert_eq!(dirs[0].0.records, 3_000);
}

#[test]
fn two_runs_are_not_mixed() {
    let dir = tempfile::tempdir().unwrap();
    generate(10, 1, dir.path(), 1).unwrap();
    assert!(matches!(generate(10, 2, dir.path(), 1), Err(Error::NotEmpty(_))));
}

#[test]
fn files_lie_where_cloudtrail_puts_them() {
    let dir = tempfile::tempdir().unwrap();
    generate(500, 1, dir.path(), 1).unwrap();
    for name in contents(dir.path()).keys() {
        let parts: Vec<_> = name.split('/').collect();
        let ["AWSLogs", account, "CloudTrail", region, year, month, day, file] = parts[..] else {
            panic!("{name}");
        };
        let start = format!("{account}_CloudTrail_{region}_{year}{month}{day}T");
        let rest = file.strip_prefix(&start).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(rest.len(), "0005Z_0123456789abcdef.json.gz".len(), "{name}");
    }
}

/// What a detector would tell apart, from the record alone.
fn kind(record: &Value) -> &'static str {
    let identity = &record["userIdentity"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (who, role) = (text(&identity["type"]), text(&identity["sessionContext"]["sessionIssuer"]["arn"]));
    let error = text(&record["errorCode"]);
    if record["eventType"] == "AwsConsoleSignIn" {
        "sign-in"
    } else if error.starts_with("AccessDenied") || error == "Client.UnauthorizedOperation" {
        "denial"
    } else if who == "Root" {
        "root"
    } else if record["readOnly"] == true {
        "read"
    } else if role.ends_with(":role/deploy-pipeline") {
        "deploy write"
    } else if who == "IAMUser" || role.contains("/AWSReservedSSO_") {
        "human write"
    } else if who == "AWSService" || who.is_empty() || role.contains("/aws-service-role/") {
        "service write"
    } else {
        "workload write"
    }
}

#[test]
fn records_are_valid_and_mixed_as_promised() {
    let dir = tempfile::tempdir().unwrap();
    let Summary { raw, gzip, .. } = generate(RECORDS, 1, dir.path(), 2).unwrap();
    assert!((1_350..1_550).contains(&(raw / RECORDS)), "{} bytes a record", raw / RECORDS);
    assert!((80..90).contains(&(raw * 10 / gzip)), "{} tenths", raw * 10 / gzip);

    let mut inflater = Inflater::default();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut ids: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    let mut traps = 0;
    for (number, file) in log_files(dir.path()).unwrap().iter().enumerate() {
        let text = std::str::from_utf8(inflater.read(file).unwrap()).unwrap();
        assert!(text.starts_with(r#"{"Records":[{"eventVersion":""#) && !text.contains('\n'));
        assert!(!text.contains('<') && !text.contains(r#""arn":"""#), "a blank in {}", file.display());
        let log: Value = serde_json::from_str(text).unwrap();
        for record in log["Records"].as_array().unwrap() {
            check_fields(record);
            *counts.entry(kind(record)).or_default() += 1;
            if record["readOnly"] == false {
                let request = record["requestParameters"].to_string().replace('\\', "");
                traps += u32::from(request.contains(r#""readOnly":true"#));
            }
            ids.entry(record["eventID"].as_str().unwrap().to_owned()).or_default().insert(number);
        }
    }
    check_shares(&counts);
    let repeats = usize::try_from(RECORDS).unwrap() - ids.len();
    assert!((180..400).contains(&repeats), "{repeats} repeats");
    // Another file may also repeat one record twice.
    let elsewhere = ids.values().filter(|files| files.len() > 1).count();
    assert!(elsewhere * 10 > repeats * 9, "{elsewhere} of {repeats} repeats are in another file");
    assert!(traps > 100, "{traps} writes with a `readOnly` of their own in the request");
}

fn check_shares(counts: &BTreeMap<&str, u32>) {
    assert_eq!(counts.values().sum::<u32>(), u32::try_from(RECORDS).unwrap());
    let shares = [
        ("read", 840.0, 860.0),
        ("deploy write", 93.0, 107.0),
        ("service write", 27.0, 33.0),
        ("workload write", 8.5, 11.5),
        ("human write", 0.6, 1.5),
        ("denial", 2.5, 8.0),
        ("root", 0.05, 0.5),
        ("sign-in", 0.05, 0.5),
    ];
    for (kind, low, high) in shares {
        let permille = f64::from(counts[kind]) / 60.0;
        assert!((low..high).contains(&permille), "{kind}: {permille} permille");
    }
}

/// Whether `record` has what every record has.
fn check_fields(record: &Value) {
    for field in ["eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress"] {
        assert!(record[field].as_str().is_some_and(|value| !value.is_empty()), "{field}: {record}");
    }
    assert!(record["userIdentity"].is_object() && record["readOnly"].is_boolean(), "{record}");
    assert!(record["eventID"].as_str().is_some_and(|id| id.len() == 36), "{record}");
}

#[test]
fn fields_stand_in_cloudtrails_order() {
    const ORDER: [&str; 27] = [
        "eventVersion",
        "userIdentity",
        "eventTime",
        "eventSource",
        "eventName",
        "awsRegion",
        "sourceIPAddress",
        "userAgent",
        "errorCode",
        "errorMessage",
        "requestParameters",
        "responseElements",
        "additionalEventData",
        "requestID",
        "eventID",
        "readOnly",
        "resources",
        "eventType",
        "apiVersion",
        "managementEvent",
        "recipientAccountId",
        "sharedEventID",
        "vpcEndpointId",
        "vpcEndpointAccountId",
        "eventCategory",
        "tlsDetails",
        "sessionCredentialFromConsole",
    ];
    let dir = tempfile::tempdir().unwrap();
    generate(4_000, 1, dir.path(), 1).unwrap();
    let mut inflater = Inflater::default();
    for file in log_files(dir.path()).unwrap() {
        let log: Top = serde_json::from_slice(inflater.read(&file).unwrap()).unwrap();
        for Fields(fields) in log.records {
            let places: Vec<_> = fields
                .iter()
                .map(|field| ORDER.iter().position(|known| known == field).expect(field))
                .collect();
            assert!(places.is_sorted_by(|one, other| one < other), "{fields:?}");
        }
    }
}

#[derive(serde::Deserialize)]
struct Top {
    #[serde(rename = "Records")]
    records: Vec<Fields>,
}

/// The names of an object's fields, in the order they stand.
struct Fields(Vec<String>);

impl<'de> serde::Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> serde::de::Visitor<'de> for Names {
            type Value = Fields;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut names = Vec::new();
                while let Some((name, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                    names.push(name);
                }
                Ok(Fields(names))
            }
        }
        json.deserialize_map(Names)
    }
}

#[test]
fn the_yardstick_sees_all_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let Summary { raw, records, .. } = generate(5_000, 3, dir.path(), 1).unwrap();
    let files = log_files(dir.path()).unwrap();
    assert_eq!(measure(&files, Mode::Inflate, 2).unwrap(), Tally { raw, ..Tally::default() });
    let parsed = measure(&files, Mode::Parse, 2).unwrap();
    assert_eq!((parsed.raw, parsed.records), (raw, records));
    assert!((300..1_200).contains(&parsed.writes), "{}", parsed.writes);
}

#[test]
fn a_damaged_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.json.gz");
    for (bytes, why) in
        [(&b"x"[..], "shorter than a gzip file can be"), (b"not gzip", "not gzip, or damaged")]
    {
        fs::write(&path, bytes).unwrap();
        let error = measure(std::slice::from_ref(&path), Mode::Inflate, 1).unwrap_err().to_string();
        assert_eq!(error, format!("could not inflate `{}`: {why}", path.display()));
    }
}
