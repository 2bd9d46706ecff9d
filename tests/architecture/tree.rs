//! The files of a crate and the arrows between them: from a file that names something to the file
//! that defines it, however many re-exports stand between.

use super::source::{Module, Path, Role, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[derive(Debug)]
pub(crate) struct Tree {
    /// By its file in `src`.
    sources: BTreeMap<String, Source>,
    /// The file in which each module's text stands.
    modules: BTreeMap<Module, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrow {
    pub(crate) from: String,
    pub(crate) to: String,
    /// The files that hand the name on.
    pub(crate) through: Vec<String>,
    pub(crate) line: usize,
    pub(crate) path: String,
    /// It hands a name on, and its file has no use for it.
    pub(crate) only_hands_on: bool,
}

impl fmt::Display for Arrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to, line, path) = (&self.from, &self.to, self.line, &self.path);
        write!(f, "{from} -> {to} (line {line}: {path})")
    }
}

/// Where a name leads to.
struct Found {
    /// The module, or the one that has the item.
    module: Module,
    is_module: bool,
    through: Vec<String>,
}

/// The names that have been looked up on the way: a name may lead back to itself.
type Seen = BTreeSet<(Module, String)>;

impl Tree {
    /// Reads `lib.rs` and what it declares.
    pub(crate) fn read(texts: &BTreeMap<String, String>) -> Self {
        let mut tree = Self {
            sources: BTreeMap::new(),
            modules: BTreeMap::new(),
        };
        let mut queue = vec![Module::new()];
        while let Some(module) = queue.pop() {
            let file = file(&module, texts);
            let source = Source::read(&module, &texts[&file]);
            queue.extend(source.declared.iter().cloned());
            let modules = source.modules.iter().cloned();
            tree.modules
                .extend(modules.map(|module| (module, file.clone())));
            tree.sources.insert(file, source);
        }
        tree
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }

    /// Modules that are only there for tests, as paths without `.rs`.
    pub(crate) fn tests(&self) -> impl Iterator<Item = String> {
        let tests = self.sources.values().flat_map(|source| &source.tests);
        tests.map(|module| module.join("/"))
    }

    pub(crate) fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for (file, source) in &self.sources {
            let found = source.paths.iter();
            arrows.extend(found.filter_map(|path| self.arrow(file, source, path)));
        }
        arrows
    }

    fn arrow(&self, file: &str, source: &Source, path: &Path) -> Option<Arrow> {
        let found = self.resolve(&path.module, &path.names, &mut Seen::new())?;
        let to = &self.modules[&found.module];
        (to != file).then(|| Arrow {
            from: file.to_owned(),
            to: to.clone(),
            through: found.through,
            line: path.line,
            path: text(path),
            only_hands_on: matches!(&path.role, Role::Reexport(name) if !source.words.contains(name)),
        })
    }

    /// Nothing if the path leaves the crate, or begins with an item: its `use` counts.
    fn resolve(&self, module: &Module, names: &[String], seen: &mut Seen) -> Option<Found> {
        let (first, rest) = names.split_first()?;
        let start = match first.as_str() {
            "crate" => Found::module(Module::new()),
            "self" => Found::module(module.clone()),
            "super" => Found::module(parent(module)),
            name => self.look_up(module, name, seen)?,
        };
        if !start.is_module {
            return None;
        }
        self.follow(start, rest, seen)
    }

    fn follow(&self, start: Found, names: &[String], seen: &mut Seen) -> Option<Found> {
        let mut found = start;
        for name in names {
            if !found.is_module {
                break;
            }
            let next = match name.as_str() {
                "super" => Found::module(parent(&found.module)),
                name => match self.look_up(&found.module, name, seen) {
                    Some(next) => next,
                    // An exported macro: every file has it from the root, whichever defines it.
                    None if found.module.is_empty() => return None,
                    // A macro may have made it.
                    None => Found::item(found.module),
                },
            };
            let through = [found.through, next.through].concat();
            found = Found { through, ..next };
        }
        Some(found)
    }

    fn look_up(&self, module: &Module, name: &str, seen: &mut Seen) -> Option<Found> {
        let child = [module.as_slice(), &[name.to_owned()]].concat();
        if self.modules.contains_key(&child) {
            return Some(Found::module(child));
        }
        let file = self.modules.get(module)?;
        let source = &self.sources[file];
        let key = (module.clone(), name.to_owned());
        if source.items.contains(&key) {
            return Some(Found::item(module.clone()));
        }
        if !seen.insert(key.clone()) {
            return None;
        }
        let mut found = self.look_up_imported(source, module, name, seen)?;
        if found.module != *module {
            found.through.insert(0, file.clone());
        }
        Some(found)
    }

    fn look_up_imported(
        &self,
        source: &Source,
        module: &Module,
        name: &str,
        seen: &mut Seen,
    ) -> Option<Found> {
        let here = || source.paths.iter().filter(|path| path.module == *module);
        if let Some(path) = here().find(|path| path.binds() == Some(name)) {
            let imported = self.resolve(module, &path.names, seen);
            // What is handed on from another crate is this module's.
            return Some(imported.unwrap_or_else(|| Found::item(module.clone())));
        }
        let mut globs = here().filter(|path| path.binds() == Some("*"));
        globs.find_map(|path| {
            let all = self.resolve(module, &path.names, seen)?;
            if !all.is_module {
                return None;
            }
            let found = self.look_up(&all.module, name, seen)?;
            let through = [all.through, found.through].concat();
            Some(Found { through, ..found })
        })
    }
}

impl Path {
    fn binds(&self) -> Option<&str> {
        match &self.role {
            Role::Inline => None,
            Role::Import(name) | Role::Reexport(name) => Some(name),
        }
    }
}

impl Found {
    fn module(module: Module) -> Self {
        Self {
            module,
            is_module: true,
            through: Vec::new(),
        }
    }

    fn item(module: Module) -> Self {
        Self {
            is_module: false,
            ..Self::module(module)
        }
    }
}

fn parent(module: &Module) -> Module {
    module[..module.len().saturating_sub(1)].to_vec()
}

fn text(path: &Path) -> String {
    let mut text = path.names.join("::");
    if path.binds() == Some("*") {
        text += "::*";
    }
    text
}

fn file(module: &Module, texts: &BTreeMap<String, String>) -> String {
    let path = match module.as_slice() {
        [] => "lib".to_owned(),
        names => names.join("/"),
    };
    let mut files = [format!("{path}.rs"), format!("{path}/mod.rs")].into_iter();
    files
        .find(|file| texts.contains_key(file))
        .unwrap_or_else(|| panic!("no file has the module {path}"))
}
