//! Function length, as a ratchet: no function over the limit but those listed, and none of those longer than
//! listed.

use crate::cargo;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use syn::spanned::Spanned;
use syn::visit::Visit;

/// Lines a function may have, signature included.
const LINES_MAX: usize = 60;

/// Where the exceptions are listed: `path::function lines`, one a line.
const LIST: &str = "xtask/long-functions.txt";

/// Functions that are longer than allowed. With `bless`, shortens the list to what is needed.
pub fn violations(bless: bool) -> Result<Vec<String>> {
    let mut long = BTreeMap::new();
    for file in rust_files(&cargo::root())?.into_iter().filter(|f| !is_test(f)) {
        let text = std::fs::read_to_string(&file)?;
        let parsed = syn::parse_file(&text).with_context(|| format!("{} does not parse", file.display()))?;
        let path = file.strip_prefix(cargo::root()).unwrap_or(&file).display().to_string();
        let mut visitor = Lengths { path, long: &mut long };
        visitor.visit_file(&parsed);
    }
    let listed = read_list()?;
    if bless {
        let kept = long.iter().filter(|(name, lines)| listed.get(*name).is_some_and(|l| *lines <= l));
        let text: String = kept.map(|(name, lines)| format!("{name} {lines}\n")).collect();
        std::fs::write(cargo::root().join(LIST), text)?;
    }
    let over = long.iter().filter(|(name, lines)| listed.get(*name).is_none_or(|allowed| *lines > allowed));
    Ok(over.map(|(name, lines)| format!("{name} has {lines} lines; {LINES_MAX} are allowed")).collect())
}

fn read_list() -> Result<BTreeMap<String, usize>> {
    let path = cargo::root().join(LIST);
    let text = if path.exists() { std::fs::read_to_string(path)? } else { String::new() };
    let entry = |line: &str| {
        let (name, lines) = line.rsplit_once(' ')?;
        Some((name.to_owned(), lines.parse().ok()?))
    };
    Ok(text.lines().filter_map(entry).collect())
}

/// All Rust files of crates and tasks, build output left out.
pub fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![];
    let mut folders = vec![root.join("crates"), root.join("xtask/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Tables of test cases may be long.
fn is_test(file: &Path) -> bool {
    file.ends_with("tests.rs") || file.components().any(|c| c.as_os_str() == "tests")
}

struct Lengths<'a> {
    path: String,
    long: &'a mut BTreeMap<String, usize>,
}

impl Lengths<'_> {
    fn function(&mut self, name: &syn::Ident, start: usize, end: usize) {
        let lines = end + 1 - start;
        if lines > LINES_MAX {
            self.long.insert(format!("{}::{name}", self.path), lines);
        }
    }
}

impl<'ast> Visit<'ast> for Lengths<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig.ident, item.sig.span().start().line, item.block.span().end().line);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig.ident, item.sig.span().start().line, item.block.span().end().line);
        syn::visit::visit_impl_item_fn(self, item);
    }
}
