//! The samples that are changed: `fuzz/corpus`, and the events of `events/`.

use std::fs;
use std::path::{Path, PathBuf};

/// The samples of a target: its folder's, and for what reads records those of `events/`. In the order of their names.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds = files(&root.join("corpus").join(target));
    if matches!(target, "record" | "document" | "live") {
        let events = files(&root.join("../events"));
        seeds.extend(events.into_iter().flat_map(|bytes| match target {
            "document" => vec![bytes],
            "record" => {
                events_in(&bytes).iter().map(|event| event["detail"].to_string().into_bytes()).collect()
            }
            _ => vec![
                    events_in(&bytes)
                        .iter()
                        .map(|event| format!("{event}\n"))
                        .collect::<Vec<_>>()
                        .concat()
                        .into(),
                ],
        }));
    }
    seeds
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.retain(|path| path.extension().is_none_or(|it| it != "toml" || folder.ends_with("policy")));
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn events_in(bytes: &[u8]) -> Vec<serde_json::Value> {
    serde_json::Deserializer::from_slice(bytes).into_iter().map(Result::unwrap).collect()
}
