/** Looking back: lineage as of a moment, the difference of two, who is hit by a change. Only the engine's server knows. */
import { idOf, node, open } from "./places.mjs";
import { check, until } from "./world.mjs";

/** @typedef {import("./places.mjs").World} World */

const minute = 60_000;

/** While the nightly export ran, which began five hours ago and failed nine minutes later. */
const duringExport = () => new Date(Date.now() - 5 * 60 * minute + 5 * minute).toISOString();
/** Before anything happened. */
const before = () => new Date(Date.now() - 40 * 60 * minute).toISOString();

/** @param {World} world @param {string} query */
async function openHistory(world, query) {
  await open(world, `/datasets/${await idOf(world, "datasets", "order_totals")}/history?${query}`);
}

/** The word at a node that tells what became of it. @param {World} world @param {string} title */
async function changeOf({ page }, title) {
  return (await node(page, title).locator(".change").allTextContents()).join();
}

/** @type {[string, (world: World) => Promise<void>][]} */
export const historySteps = [
  [
    "history: another server cannot tell, and the page says so",
    async (world) => {
      if (world.real) return;
      await openHistory(world, "");
      await world.page.getByText("This server cannot tell").waitFor();
    },
  ],
  [
    "history: lineage as of a moment",
    async (world) => {
      if (!world.real) return;
      const { page } = world;
      await openHistory(world, `within=0&at=${duringExport()}`);
      await node(page, "daily-revenue").waitFor();
      await page.getByTestId("history-summary").getByText("As of").waitFor();
      await openHistory(world, "within=0");
      await node(page, "fraud-watch").waitFor();
      check((await node(page, "daily-revenue").count()) === 0, "a job that ended is still there at this very moment");
      await page.getByLabel("Seen within").selectOption("A day before");
      await node(page, "daily-revenue").waitFor();
      check(page.url().includes("within=24"), `the address is ${page.url()}`);
    },
  ],
  [
    "history: what came and what went between two moments",
    async (world) => {
      if (!world.real) return;
      const { page } = world;
      await openHistory(world, `within=0&from=${duringExport()}`);
      await node(page, "daily-revenue").waitFor();
      check((await changeOf(world, "daily-revenue")) === "− removed", `daily-revenue is ${await changeOf(world, "daily-revenue")}`);
      check((await changeOf(world, "fraud-watch")) === "", "a stream that went on is marked");
      await page.getByTestId("history-summary").getByText("removed").waitFor();
      await world.image("lineage-difference");
      await openHistory(world, `within=0&from=${before()}`);
      await node(page, "orders-by-country").waitFor();
      check((await changeOf(world, "orders-by-country")) === "+ added", `orders-by-country is ${await changeOf(world, "orders-by-country")}`);
      await openHistory(world, `within=0&from=${duringExport()}&as=TABLE`);
      await page.getByTestId("lineage-table").getByText("− removed").first().waitFor();
    },
  ],
  [
    "history: with keys alone, a day earlier and back",
    async (world) => {
      if (!world.real) return;
      const { page } = world;
      await openHistory(world, "within=0");
      await node(page, "fraud-watch").waitFor();
      const graph = page.getByTestId("graph");
      await graph.focus();
      await page.keyboard.press("[");
      await until("the moment is a day ago", async () => new URL(page.url().replace("#/", "")).searchParams.has("at"));
      await node(page, "orders-by-country").waitFor();
      await graph.focus();
      await page.keyboard.press("]");
      await until("the moment is now", async () => !new URL(page.url().replace("#/", "")).searchParams.has("at"));
      await page.getByRole("button", { name: "A day earlier" }).press("Enter");
      await until("the moment is a day ago again", async () => new URL(page.url().replace("#/", "")).searchParams.has("at"));
      await page.goBack();
      await until("the way back leads to now", async () => !new URL(page.url().replace("#/", "")).searchParams.has("at"));
    },
  ],
  [
    "history and impact in dark colours: text stands out from what is behind it",
    async (world) => {
      if (!world.real) return;
      const { page } = world;
      await open(world, "/datasets");
      await page.getByRole("button", { name: "Use dark colours" }).click();
      await openHistory(world, `within=0&from=${duringExport()}`);
      const mark = node(page, "daily-revenue").locator(".change");
      await mark.waitFor();
      const ratio = await contrast(mark);
      check(ratio >= 4.5, `the contrast of the mark is ${ratio.toFixed(1)}`);
      await open(world, `/datasets/${await idOf(world, "datasets", "orders")}/impact`);
      const link = page.getByRole("table", { name: "Datasets hit" }).getByRole("link").first();
      await link.waitFor();
      check((await contrast(link)) >= 4.5, `the contrast of a link is ${(await contrast(link)).toFixed(1)}`);
    },
  ],
  [
    "impact, with keys alone: a column is chosen, and a hit dataset is opened",
    async (world) => {
      if (!world.real) return;
      const { page } = world;
      await open(world, `/datasets/${await idOf(world, "datasets", "orders")}/impact`);
      const hit = page.getByRole("table", { name: "Datasets hit" });
      await hit.getByRole("link", { name: "shop/late_orders", exact: true }).waitFor();
      await page.locator("option", { hasText: "Column card_number" }).waitFor({ state: "attached" });
      await page.getByLabel("What changes").focus();
      for (const column of ["order_id", "customer_id", "amount", "currency", "card_number"]) {
        await page.keyboard.press("ArrowDown");
        await until("the column stands in the address", async () => page.url().includes(`column=${column}`));
      }
      await hit.getByRole("link", { name: "shop/late_orders", exact: true }).waitFor({ state: "detached" });
      await hit.getByRole("link", { name: "order_totals", exact: true }).press("Enter");
      await page.getByRole("heading", { name: "order_totals" }).waitFor();
    },
  ],
];

/** Contrast of a text with the first opaque colour behind it, as WCAG has it. @param {import("playwright-core").Locator} locator */
async function contrast(locator) {
  return locator.evaluate((element) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    if (!canvas) return 0;
    // Layers from the back to the front, painted over each other.
    const layers = [];
    for (let one = /** @type {Element | null} */ (element); one; one = one.parentElement) layers.unshift(getComputedStyle(one).backgroundColor);
    const luminance = (/** @type {string[]} */ colours) => {
      canvas.clearRect(0, 0, 1, 1);
      for (const colour of colours) {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
      }
      const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => (part <= 10 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
    };
    const [front, back] = [luminance([...layers, getComputedStyle(element).color]), luminance(layers)];
    return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
  });
}
