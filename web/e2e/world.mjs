/** What the browser test needs around it: Chromium, a server with events in it, steps that say what failed. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { shopEvents } from "../fixtures/events.mjs";

const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"];

/** Where the browser of this machine is; none is downloaded. */
export function findBrowser() {
  return process.env.CHROMIUM ?? browsers.find((one) => existsSync(one));
}

/** @param {string} path */
export async function openBrowser(path) {
  // In a container without user namespaces Chromium's sandbox cannot start; the pages are our own.
  return chromium.launch({ executablePath: path, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
}

/** A port nobody listens on. @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/**
 * Starts a server and waits until it answers: the engine's (`HEADWATER=<binary>`), else the fixtures with the built pages.
 * @param {string} scratch A folder for its data. @param {Record<string, string>} [fixtures] Settings of the fixtures: then they are used in any case.
 */
export async function startServer(scratch, fixtures) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  mkdirSync(scratch, { recursive: true });
  const headwater = fixtures ? undefined : process.env.HEADWATER;
  const pages = process.env.HEADWATER_WEB_OUT ?? fileURLToPath(new URL("../../crates/lineage-server/assets", import.meta.url));
  const child = headwater
    ? spawn(headwater, ["lineage", "serve", "--listen", `127.0.0.1:${port}`, "--database", `sqlite:${scratch}/lineage-${port}.db`], { stdio: ["ignore", "inherit", "inherit"] })
    : spawn(process.execPath, [fileURLToPath(new URL("../fixtures/server.mjs", import.meta.url))], {
        stdio: ["ignore", "ignore", "inherit"],
        env: { ...process.env, FIXTURES_PORT: String(port), FIXTURES_PAGES: pages, FIXTURES_EMPTY: "1", ...fixtures },
      });
  let ended = false;
  child.once("exit", () => (ended = true));
  await until(`the server answers at ${url}`, async () => {
    if (ended) throw new Error("the server ended before it answered");
    return fetch(`${url}v1/users/me`).then(() => true, () => false);
  });
  return { url, real: headwater !== undefined, stop: () => child.kill() };
}

/** Asks again until it is so; the one place that waits. @param {string} what @param {() => Promise<boolean>} holds */
export async function until(what, holds, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Sends all events of the shop and waits until the catalog shows the last of them. @param {string} url */
export async function sendEvents(url) {
  const events = shopEvents(Date.now());
  for (const event of [...events, { eventTime: "yesterday", producer: "https://example.org/broken" }]) {
    const response = await fetch(`${url}v1/openlineage`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(event) });
    if (response.status >= 500) throw new Error(`an event was answered with ${response.status}: ${await response.text()}`);
  }
  await until("all jobs are in the catalog", async () => {
    const answer = await fetch(`${url}v1/jobs?page_size=50`);
    const { meta } = /** @type {{ meta: { total_count: number } }} */ (await answer.json());
    return meta.total_count >= 5;
  });
}

/** @param {unknown} holds @param {string} message @returns {asserts holds} */
export function check(holds, message) {
  if (!holds) throw new Error(message);
}
