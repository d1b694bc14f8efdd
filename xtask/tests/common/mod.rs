//! A copy of the parts, to be changed.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses some of it, and may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The product's root folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The parts of the template and of the documents, and what is made of them, in a folder of their own.
pub(crate) struct Copy {
    folder: TempDir,
}

impl Copy {
    pub(crate) fn new() -> Self {
        let copy = Self { folder: tempfile::tempdir().unwrap() };
        for file in ["template.yaml", "docs/findings.md"] {
            copy.write(file, &fs::read_to_string(root().join(file)).unwrap());
        }
        for folder in ["shared/template", "docs/findings"] {
            copy.take(folder);
        }
        for function in fs::read_dir(root().join("functions")).unwrap() {
            let name = function.unwrap().file_name().into_string().unwrap();
            let folder = format!("functions/{name}");
            fs::create_dir_all(copy.root().join(&folder)).unwrap();
            if root().join(&folder).join("part.yaml").exists() {
                let part = format!("{folder}/part.yaml");
                copy.write(&part, &fs::read_to_string(root().join(&part)).unwrap());
                copy.take(&format!("{folder}/patterns"));
            }
        }
        copy
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.root().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Puts a text in place of another that the file has once.
    pub(crate) fn change(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.root().join(file)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{file} should have {from} once");
        self.write(file, &text.replace(from, to));
    }

    fn take(&self, folder: &str) {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let file = format!("{folder}/{name}");
            self.write(&file, &fs::read_to_string(root().join(&file)).unwrap());
        }
    }
}
