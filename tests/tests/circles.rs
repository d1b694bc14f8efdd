//! No file of a crate depends on itself through others: what two files need of each other is in a third.
//!
//! What a file names with a path is looked up in the file that has it: through what a module exports again, so that a
//! module's own file doesn't depend on all that it exports. Tests may depend on anything.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use handsoff_tests::root;
use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, UseTree, Visibility};

type Names = Vec<String>;

/// What a file names, and what it exports that is another's.
#[derive(Default)]
struct Named {
    /// The modules that are there for tests alone.
    of_tests: BTreeSet<String>,
    paths: BTreeSet<Names>,
    exports: BTreeMap<String, Names>,
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|it| {
        it.path().is_ident("cfg") && it.parse_args::<syn::Path>().is_ok_and(|it| it.is_ident("test"))
    })
}

fn leaves(tree: &UseTree, before: &[String], found: &mut Vec<(String, Names)>) {
    let with = |name: String| [before, &[name]].concat();
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &with(path.ident.to_string()), found),
        UseTree::Name(name) if name.ident == "self" => {
            found.push((before.last().cloned().unwrap_or_default(), before.to_vec()));
        }
        UseTree::Name(name) => found.push((name.ident.to_string(), with(name.ident.to_string()))),
        UseTree::Rename(name) => found.push((name.rename.to_string(), with(name.ident.to_string()))),
        UseTree::Glob(_) => found.push(("*".to_owned(), before.to_vec())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, found)),
    }
}

impl<'ast> Visit<'ast> for Named {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if is_of_tests(&item.attrs) {
            return;
        }
        let mut found = Vec::new();
        leaves(&item.tree, &[], &mut found);
        for (name, path) in found {
            match item.vis {
                Visibility::Inherited => drop(self.paths.insert(path)),
                _ => drop(self.exports.insert(name, path)),
            }
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if is_of_tests(&item.attrs) {
            self.of_tests.insert(item.ident.to_string());
        } else {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        // `super` alone says who may see something.
        if path.segments.len() > 1 {
            self.paths.insert(path.segments.iter().map(|it| it.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }
}

/// The files of a crate by the paths of their modules, and what each names.
struct Crate {
    files: BTreeMap<Names, PathBuf>,
    named: BTreeMap<Names, Named>,
}

impl Crate {
    fn read(sources: &Path) -> Self {
        let mut files = BTreeMap::new();
        list(sources, &[], &mut files);
        let named = files.iter().map(|(module, path)| {
            let file = syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap();
            let mut named = Named::default();
            named.visit_file(&file);
            (module.clone(), named)
        });
        let named: BTreeMap<Names, Named> = named.collect();
        let is_of_tests = |module: &Names| {
            let parent = module.split_last().and_then(|(name, parent)| Some((name, named.get(parent)?)));
            parent.is_some_and(|(name, parent)| parent.of_tests.contains(name))
        };
        files.retain(|module, _| !is_of_tests(module));
        Self { files, named }
    }

    /// The path from the crate's root; `None` of what is another crate's.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Names> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let (_, parent) = module.split_last()?;
                let rest: Names = [&["self".to_owned()], rest].concat();
                let rest = if rest.get(1).is_some_and(|it| it == "super") { rest.get(1..)? } else { &rest };
                self.absolute(parent, rest)
            }
            _ => {
                let child = [module, std::slice::from_ref(first)].concat();
                self.files.contains_key(&child).then(|| [module, path].concat())
            }
        }
    }

    /// The file that has what a path names.
    fn owner(&self, path: &[String], hops: usize) -> Option<Names> {
        let module = (0..=path.len()).rev().find_map(|end| {
            let module = path.get(..end)?;
            self.files.contains_key(module).then(|| module.to_vec())
        })?;
        let rest = path.get(module.len()..)?;
        let named = self.named.get(&module)?;
        let exported = rest.first().and_then(|name| named.exports.get(name));
        match exported.and_then(|path| self.absolute(&module, path)) {
            Some(further) if hops > 0 => self.owner(&[&further[..], rest.get(1..)?].concat(), hops - 1),
            _ => Some(module),
        }
    }

    fn needs(&self, module: &Names) -> BTreeSet<Names> {
        let Some(named) = self.named.get(module) else { return BTreeSet::new() };
        let paths = named.paths.iter().filter_map(|path| self.absolute(module, path));
        paths.filter_map(|path| self.owner(&path, 8)).filter(|owner| owner != module).collect()
    }

    /// Files that depend on themselves through others, each with those of the circle that it needs.
    fn circles(&self) -> Vec<(&Path, Vec<String>)> {
        let needs: BTreeMap<&Names, BTreeSet<Names>> =
            self.files.keys().map(|it| (it, self.needs(it))).collect();
        let reached = |module: &Names| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![module]);
            while let Some(at) = next.pop() {
                next.extend(needs.get(at).into_iter().flatten().filter(|it| seen.insert((*it).clone())));
            }
            seen
        };
        let reached: BTreeMap<&Names, BTreeSet<Names>> =
            self.files.keys().map(|it| (it, reached(it))).collect();
        let leads_to = |from: &Names, to: &Names| reached.get(from).is_some_and(|it| it.contains(to));
        let circle = self.files.iter().filter(|(module, _)| leads_to(module, module));
        let with = |(module, path)| {
            let needs = needs.get(module).into_iter().flatten().filter(|it| leads_to(it, module));
            (path, needs.map(|it| it.join("::")).collect())
        };
        circle.map(|(module, path)| with((module, &**path))).collect()
    }
}

fn list(folder: &Path, module: &[String], files: &mut BTreeMap<Names, PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let of_file = || match name.as_str() {
            "lib" | "main" | "mod" => module.to_vec(),
            _ => [module, std::slice::from_ref(&name)].concat(),
        };
        match path.is_dir() {
            // A library's own binary needs it, and is needed by none.
            _ if name == "tests" || (name == "main" && folder.join("lib.rs").is_file()) => {}
            true => list(&path, &[module, std::slice::from_ref(&name)].concat(), files),
            false if path.extension().is_some_and(|it| it == "rs") => drop(files.insert(of_file(), path)),
            false => {}
        }
    }
}

/// The folders of the crates' sources.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if !path.is_dir()
            || name == "target"
            || name == "tests"
            || name == "node_modules"
            || name.starts_with('.')
        {
            continue;
        }
        if name == "src" { found.push(path) } else { sources(&path, found) }
    }
}

#[test]
fn no_file_depends_on_itself() {
    let mut all = Vec::new();
    sources(&root(), &mut all);
    assert!(all.len() > 15, "{all:?}");
    let circles: Vec<String> = all
        .iter()
        .flat_map(|it| Crate::read(it).circles().into_iter().map(|it| format!("{it:?}")).collect::<Vec<_>>())
        .collect();
    assert!(circles.is_empty(), "files that depend on themselves through others: {circles:#?}");
}

#[test]
fn a_circle_is_found_through_what_a_module_exports_again() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("lib.rs", "mod one; mod two; pub use one::One; pub use two::Two;");
    write("one.rs", "pub struct One(pub Option<Box<crate::Two>>);");
    write("two.rs", "pub struct Two; #[cfg(test)] mod tests { use crate::One; }");
    assert!(Crate::read(folder.path()).circles().is_empty());
    write("two.rs", "use super::One; pub struct Two(pub One);");
    let circles = Crate::read(folder.path());
    let circles: Vec<_> = circles.circles().into_iter().map(|(it, _)| it.file_name().unwrap()).collect();
    assert_eq!(circles, ["one.rs", "two.rs"]);
}
