/** Ways to places of the pages, and to what they show. */
import { check } from "./world.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {{ page: Page, url: string, real: boolean, image: (name: string) => Promise<void> }} World */

/** Opens a place of the pages, in a fresh load. @param {World} world @param {string} place */
export async function open({ page, url }, place) {
  await page.goto("about:blank");
  await page.goto(`${url}#${place}`);
}

/** @param {World} world @param {"datasets" | "jobs" | "runs"} kind @param {string} name */
export async function idOf({ url }, kind, name) {
  const answer = await fetch(`${url}v1/${kind}?page_size=50`);
  const { items } = /** @type {{ items: { id: string, data: { name: string }, job?: { name: string } }[] }} */ (await answer.json());
  const found = items.find((item) => (kind === "runs" ? item.job?.name : item.data.name) === name);
  check(found, `${kind} has no ${name}`);
  return found.id;
}

/** @param {Page} page @param {string} title */
export function node(page, title) {
  return page.locator(`.lineage-node[data-title="${title}"]`);
}

/** Titles of nodes that are not dimmed. @param {Page} page */
export async function brightNodes(page) {
  const titles = await page.locator(".react-flow__node:not(.dim) .lineage-node").evaluateAll((found) => found.map((one) => one.getAttribute("data-title")));
  return titles.sort();
}
