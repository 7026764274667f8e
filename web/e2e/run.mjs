/**
 * `npm run e2e`: the pages in real Chromium, against the engine's server (`HEADWATER=<binary>`) or, without one, against
 * the fixtures. IMAGES=<folder> also writes the pictures of the documentation there; with BROWSER_OPTIONAL=1 a machine
 * without a browser is no failure.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { historySteps } from "./history.mjs";
import { loginSteps } from "./login.mjs";
import { steps } from "./steps.mjs";
import { findBrowser, openBrowser, sendEvents, startServer } from "./world.mjs";

const stepTimeoutMs = 20_000;
const images = process.env.IMAGES;
const scratch = mkdtempSync(join(tmpdir(), "headwater-web-"));

/** @param {import("playwright-core").Browser} browser @param {string} url @param {boolean} real */
async function newWorld(browser, url, real) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "light", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(stepTimeoutMs);
  /** @type {string[]} */
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => void complaints.push(`a dialog opened: ${dialog.message()}`));
  page.on("console", (message) => {
    if (/Content Security Policy|Minified React error/.test(message.text())) complaints.push(message.text());
  });
  const image = async (/** @type {string} */ name) => {
    if (!images) return;
    mkdirSync(images, { recursive: true });
    await page.mouse.move(640, 20);
    // The view moves for a moment after a layout.
    await page.waitForFunction("document.getAnimations().every((one) => one.playState !== 'running')");
    await page.screenshot({ path: join(images, `${name}.png`) });
  };
  return { page, url, real, image, complaints, close: () => context.close() };
}

/** @param {import("playwright-core").Browser} browser @param {string} url @param {boolean} real @param {[string, (world: any) => Promise<void>][]} list */
async function play(browser, url, real, list) {
  let failures = 0;
  for (const [name, step] of list) {
    const world = await newWorld(browser, url, real);
    const began = Date.now();
    try {
      await step(world);
      if (world.complaints.length > 0) throw new Error(`the page complained: ${world.complaints.join("; ")}`);
      console.log(`ok   ${name} (${Date.now() - began} ms)`);
    } catch (error) {
      failures += 1;
      const picture = join(tmpdir(), `headwater-web-failed-${failures}.png`);
      await world.page.screenshot({ path: picture }).catch(() => undefined);
      console.log(`FAIL ${name}\n     ${error instanceof Error ? error.message.split("\n").slice(0, 4).join("\n     ") : error}\n     at ${world.page.url()}, picture: ${picture}`);
    }
    await world.close();
  }
  return failures;
}

/** All steps. @param {string} chromium @returns {Promise<number>} Those that failed. */
async function playAll(chromium) {
  const browser = await openBrowser(chromium);
  const server = await startServer(scratch);
  let failures = 0;
  try {
    console.log(`pages of ${server.real ? "the lineage server" : "the fixtures"} in Chromium ${browser.version()}`);
    await sendEvents(server.url);
    failures += await play(browser, server.url, server.real, [...steps, ...historySteps]);
    for (const [login, list] of Object.entries(loginSteps)) {
      const guarded = await startServer(scratch, { FIXTURES_LOGIN: login });
      try {
        failures += await play(browser, guarded.url, false, list);
      } finally {
        guarded.stop();
      }
    }
  } finally {
    server.stop();
    await browser.close();
    rmSync(scratch, { recursive: true, force: true });
  }
  return failures;
}

const chromium = findBrowser();
const missing = "no Chromium found: `apt-get install chromium`, or set CHROMIUM to one";
if (chromium) {
  const failures = await playAll(chromium);
  console.log(failures === 0 ? "all steps passed" : `${failures} steps failed`);
  process.exitCode = failures === 0 ? 0 : 1;
} else {
  console.log(process.env.BROWSER_OPTIONAL ? `the steps of a user were left out: ${missing}` : missing);
  process.exitCode = process.env.BROWSER_OPTIONAL ? 0 : 1;
}
