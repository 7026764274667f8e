//! `cargo xtask web` and `test-web`: the pages that the lineage server embeds.
//!
//! Packages are installed and pages built only when their inputs changed: a stamp holds a digest of them. Nothing is
//! written outside `web/node_modules`, the asset folder, and npm's own cache. Without Node the rest of the project
//! still builds; the server then says that its pages are missing.

use crate::cargo;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Node that the build tools run on.
const NODE_MIN: (u32, u32) = (20, 19);

/// What the built pages depend on, below `web/`.
const BUILD_INPUTS: [&str; 8] =
    ["src", "public", "scripts", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"];

/// Options of `web`.
#[derive(clap::Args)]
pub struct Options {
    /// Build even if nothing changed.
    #[arg(long)]
    force: bool,
}

/// Options of `test-web`.
#[derive(clap::Args)]
pub struct TestOptions {
    /// Test against the small server of the fixtures, without building the engine.
    #[arg(long)]
    fixtures: bool,
    /// Test this binary instead of building one; its pages must be those of the asset folder.
    #[arg(long, conflicts_with = "fixtures")]
    headwater: Option<PathBuf>,
    /// Also take the pictures of the documentation.
    #[arg(long)]
    images: bool,
}

/// Builds the pages into the folder that the server embeds.
pub fn run(options: &Options) -> Result<()> {
    build(options.force)
}

/// Lints and tests the pages, then plays a user in real Chromium.
pub fn test(options: &TestOptions) -> Result<()> {
    build(false)?;
    lint_and_test()?;
    let headwater = match (&options.headwater, options.fixtures) {
        (_, true) => None,
        (Some(path), false) => Some(path.canonicalize().with_context(|| format!("there is no {}", path.display()))?),
        (None, false) => Some(cargo::build_headwater(false)?),
    };
    let mut browser = browser_test(headwater.as_deref());
    if options.images {
        browser.env("IMAGES", cargo::root().join("docs/images"));
    }
    finish(browser, "npm run e2e")
}

/// The pages in the whole suite. Made before the programs are built, which embed them.
pub struct Suite(());

impl Suite {
    /// Builds the pages. A machine without Node has none to test, and says so.
    pub fn prepare() -> Result<Option<Self>> {
        if let Err(missing) = check_node() {
            eprintln!("\nthe pages of the lineage server are not tested: {missing}");
            return Ok(None);
        }
        build(false).map(|()| Some(Self(())))
    }

    /// Tests the pages, in the end as a user of this program. Where there is no browser, and apt has none either, only
    /// that end is left out, which is said.
    pub fn test(&self, headwater: &Path) -> Result<()> {
        lint_and_test()?;
        install_browser();
        let mut browser = browser_test(Some(headwater));
        browser.env("BROWSER_OPTIONAL", "1");
        finish(browser, "npm run e2e")
    }
}

/// Fetches Chromium by apt unless the browser test finds one. Its outcome shows there.
fn install_browser() {
    let look = "import('./e2e/world.mjs').then((world) => process.exit(world.findBrowser() ? 0 : 1))";
    let found = Command::new("node").args(["-e", look]).current_dir(web()).status();
    if found.is_ok_and(|status| status.success()) {
        return;
    }
    let install = ["install", "--yes", "--no-install-recommends", "chromium"];
    eprintln!("\n==> apt-get {}", install.join(" "));
    Command::new("apt-get").args(install).status().ok();
}

fn lint_and_test() -> Result<()> {
    npm(&["run", "lint"])?;
    npm(&["run", "test"])
}

/// The steps of a user, against a program or the fixtures.
fn browser_test(headwater: Option<&Path>) -> Command {
    let mut browser = npm_command(&["run", "e2e"]);
    match headwater {
        Some(path) => browser.env("HEADWATER", path),
        None => browser.env_remove("HEADWATER"),
    };
    browser
}

fn build(force: bool) -> Result<()> {
    check_node()?;
    install()?;
    let assets = cargo::root().join("crates/lineage-server/assets");
    let stamp = Stamp::of(&web().join("node_modules/.built-from"), &BUILD_INPUTS)?;
    if stamp.is_current() && assets.join("index.html").is_file() && !force {
        eprintln!("the pages in {} are up to date", assets.display());
        return Ok(());
    }
    npm(&["run", "build"])?;
    stamp.set()
}

/// `npm ci`, unless the lock file is that of the last time.
fn install() -> Result<()> {
    let stamp = Stamp::of(&web().join("node_modules/.installed-from"), &["package-lock.json"])?;
    if stamp.is_current() {
        return Ok(());
    }
    npm(&["ci", "--prefer-offline", "--no-audit", "--no-fund"])?;
    stamp.set()
}

/// Fails with what to install when Node is missing or too old.
fn check_node() -> Result<()> {
    let (major, minor) = NODE_MIN;
    let wanted = format!(
        "the pages need Node {major}.{minor} or newer with npm (https://nodejs.org, or your system's packages)"
    );
    let Ok(output) = Command::new("node").arg("--version").output() else {
        bail!("{wanted}; there is no `node`");
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if node_version(&version).is_none_or(|found| found < NODE_MIN) {
        bail!("{wanted}; this one is {version}");
    }
    Ok(())
}

/// Major and minor of `v20.19.1`.
fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn web() -> PathBuf {
    cargo::root().join("web")
}

fn npm_command(args: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(args).current_dir(web());
    command
}

fn npm(args: &[&str]) -> Result<()> {
    finish(npm_command(args), &format!("npm {}", args.join(" ")))
}

fn finish(mut command: Command, name: &str) -> Result<()> {
    eprintln!("\n==> {name} (in web/)");
    let status = command.status().with_context(|| format!("`{name}` could not be started"))?;
    if !status.success() {
        bail!("`{name}` failed: {status}");
    }
    Ok(())
}

/// A file that says from which inputs something was made.
struct Stamp {
    path: PathBuf,
    digest: String,
}

impl Stamp {
    /// The stamp for files and folders below `web/`.
    fn of(path: &Path, inputs: &[&str]) -> Result<Self> {
        let mut hasher = Sha256::new();
        for input in inputs {
            add(&mut hasher, &web().join(input))?;
        }
        let digest = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { path: path.to_owned(), digest })
    }

    fn is_current(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|known| known == self.digest)
    }

    fn set(&self) -> Result<()> {
        fs::write(&self.path, &self.digest).with_context(|| format!("{} could not be written", self.path.display()))
    }
}

/// Adds names and contents, in the order of names.
fn add(hasher: &mut Sha256, path: &Path) -> Result<()> {
    hasher.update(path.as_os_str().as_encoded_bytes());
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| add(hasher, entry));
    }
    let content = fs::read(path).with_context(|| format!("{} could not be read", path.display()))?;
    hasher.update(content.len().to_le_bytes());
    hasher.update(content);
    Ok(())
}

#[cfg(test)]
mod tests;
