/** What a user does, step by step, in a real browser. Each step begins at an address of its own. */
import { hostileDataset, hostileJob } from "../fixtures/events.mjs";
import { brightNodes, idOf, node, open } from "./places.mjs";
import { check, until } from "./world.mjs";

/** @typedef {import("./places.mjs").World} World */

/** @type {[string, (world: World) => Promise<void>][]} */
export const steps = [
  [
    "the list of datasets, and the search in it",
    async (world) => {
      const { page } = world;
      await open(world, "/datasets");
      await page.getByRole("link", { name: "order_totals", exact: true }).waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("fraud");
      await page.getByRole("link", { name: "order_totals", exact: true }).waitFor({ state: "detached" });
      await page.getByRole("link", { name: "fraud_alerts", exact: true }).waitFor();
      check(page.url().includes("q=fraud"), `the search does not stand in the address: ${page.url()}`);
      await page.getByRole("searchbox", { name: "Search datasets" }).fill("nosuchthing");
      await page.getByText("No datasets match").waitFor();
    },
  ],
  [
    "filters of runs",
    async (world) => {
      const { page } = world;
      await open(world, "/runs?status=FAILED");
      await page.getByRole("link", { name: "daily-revenue" }).waitFor();
      check((await page.getByRole("link", { name: "fraud-watch" }).count()) === 0, "a running job is listed among the failed");
    },
  ],
  [
    "the search over everything, with keys alone",
    async (world) => {
      const { page } = world;
      await open(world, "/jobs");
      await page.getByRole("link", { name: "fraud-watch", exact: true }).waitFor();
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox", { name: "Search everything" }).fill("orders-by");
      await page.getByRole("option").first().waitFor();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "orders-by-country" }).waitFor();
    },
  ],
  [
    "the page of a run, its operation and its SQL",
    async (world) => {
      const { page } = world;
      await open(world, `/runs/${await idOf(world, "runs", "orders-by-country")}`);
      await page.getByRole("region", { name: "Operations" }).getByRole("link", { name: "orders-by-country" }).click();
      await page.getByText("INSERT INTO order_totals").waitFor();
    },
  ],
  [
    "the graph of a job: nodes, states, numbers",
    async (world) => {
      const { page } = world;
      await open(world, `/jobs/${await idOf(world, "jobs", "orders-by-country")}/lineage`);
      for (const title of ["orders", "orders-by-country", "order_totals", "shop/late_orders", "fraud-watch", "daily-revenue"]) await node(page, title).waitFor();
      await node(page, "orders-by-country").getByText("Running").waitFor();
      await node(page, "daily-revenue").getByText("Failed").waitFor();
      await page.getByText("1.2M rows").first().waitFor();
      await world.image("lineage-graph");
    },
  ],
  [
    "the graph shows also where no worker can be started",
    async (world) => {
      const { page } = world;
      await page.route("**/layout.worker*", (route) => route.abort());
      await open(world, `/jobs/${await idOf(world, "jobs", "orders-by-country")}/lineage`);
      await node(page, "orders").waitFor();
      await node(page, "fraud-watch").waitFor();
    },
  ],
  [
    "selecting a node lights its paths, and the link keeps it",
    async (world) => {
      const { page } = world;
      await open(world, `/jobs/${await idOf(world, "jobs", "orders-by-country")}/lineage`);
      await node(page, "fraud-watch").click();
      await until("the paths are lit", async () => !(await brightNodes(page)).includes("daily-revenue"));
      const bright = await brightNodes(page);
      check(bright.includes("orders") && bright.includes("fraud_alerts"), `bright are ${bright.join(", ")}`);
      await page.getByTestId("details").getByRole("heading", { name: "fraud-watch" }).waitFor();
      const link = page.url();
      await page.goto("about:blank");
      await page.goto(link);
      await page.getByTestId("details").waitFor();
      await until("the link shows the same", async () => (await brightNodes(page)).join() === bright.join());
    },
  ],
  [
    "columns: kinds, and the path of one through two jobs",
    async (world) => {
      const { page } = world;
      const totals = await idOf(world, "datasets", "order_totals");
      await open(world, `/datasets/${totals}/lineage?columns=1&indirect=0&granularity=DATASET`);
      await page.locator('[data-column$="#revenue"]').first().waitFor();
      await page.locator(".edge-column.column-masked").waitFor({ state: "attached" });
      await page.locator(`[data-column="DATASET:${totals}#revenue"]`).click();
      const lit = async () => (await page.locator(".node-column.lit .column-name").allTextContents()).sort().join();
      await until("the path of the column is lit", async () => (await lit()) === "amount,reason,revenue,revenue,revenue");
      await page.getByTestId("details").getByText("Aggregated").first().waitFor();
      await world.image("lineage-columns");
    },
  ],
  [
    "depth, direction and granularity stand in the address",
    async (world) => {
      const { page } = world;
      await open(world, `/datasets/${await idOf(world, "datasets", "order_totals")}/lineage?depth=1&direction=UPSTREAM`);
      await node(page, "orders-by-country").waitFor();
      check((await node(page, "fraud-watch").count()) === 0, "upstream shows what is downstream");
      await page.getByLabel("Direction").selectOption("DOWNSTREAM");
      await node(page, "fraud-watch").waitFor();
      check(page.url().includes("direction=DOWNSTREAM"), `the address is ${page.url()}`);
      await page.getByLabel("Granularity").selectOption("DATASET");
      await node(page, "fraud_alerts").waitFor();
      check((await node(page, "fraud-watch").count()) === 0, "jobs are drawn among datasets only");
      await page.goBack();
      await node(page, "fraud-watch").waitFor();
    },
  ],
  [
    "expanding a node brings its neighbours",
    async (world) => {
      const { page } = world;
      await open(world, `/datasets/${await idOf(world, "datasets", "orders")}/lineage?depth=1`);
      await node(page, "orders-by-country").click();
      await page.getByRole("button", { name: "Expand" }).click();
      await node(page, "order_totals").waitFor();
      check(page.url().includes("expand=JOB"), `the address is ${page.url()}`);
    },
  ],
  [
    "keys walk the graph",
    async (world) => {
      const { page } = world;
      await open(world, `/datasets/${await idOf(world, "datasets", "orders")}/lineage`);
      await node(page, "order_totals").waitFor();
      await page.getByTestId("graph").focus();
      const focus = () => new URL(page.url().replace("#/", "")).searchParams.get("focus") ?? "";
      await page.keyboard.press("ArrowRight");
      await until("the first node is selected", async () => focus().startsWith("DATASET:"));
      await page.keyboard.press("ArrowRight");
      await until("the job is selected", async () => focus().startsWith("JOB:"));
      await page.keyboard.press("Escape");
      await until("nothing is selected", async () => focus() === "");
      await page.keyboard.press("ArrowRight");
      await until("a node is selected", async () => focus() !== "");
      await page.keyboard.press("Enter");
      await page.getByRole("region", { name: "Columns" }).waitFor();
    },
  ],
  [
    "the graph as a table",
    async (world) => {
      const { page } = world;
      await open(world, `/jobs/${await idOf(world, "jobs", "orders-by-country")}/lineage?as=TABLE`);
      await page.getByTestId("lineage-table").getByText("1,248,000").first().waitFor();
    },
  ],
  [
    "dark colours, kept for the next visit",
    async (world) => {
      const { page } = world;
      await open(world, "/datasets");
      const scheme = () => page.evaluate("document.documentElement.getAttribute('data-mantine-color-scheme')");
      await page.getByRole("button", { name: "Use dark colours" }).click();
      await until("it is dark", async () => (await scheme()) === "dark");
      await open(world, "/jobs");
      await until("it is still dark", async () => (await scheme()) === "dark");
      await page.getByRole("button", { name: "Use light colours" }).click();
      await until("it is light", async () => (await scheme()) === "light");
    },
  ],
  [
    "hostile names stay text",
    async (world) => {
      const { page } = world;
      await open(world, "/datasets");
      await page.getByRole("link", { name: hostileDataset, exact: true }).waitFor();
      await open(world, `/jobs/${await idOf(world, "jobs", hostileJob)}/lineage?columns=1`);
      await page.locator(".node-title", { hasText: hostileDataset }).waitFor();
      await page.locator(".column-name", { hasText: "<b>bold</b>" }).waitFor();
      check((await page.evaluate("window.pwned")) === undefined, "a name ran as code");
      check((await page.locator('a[href^="javascript:"]').count()) === 0, "an address of a stranger became a link that runs code");
    },
  ],
  [
    "an event set aside, with its reason",
    async (world) => {
      const { page } = world;
      await open(world, "/quarantine");
      await page.getByRole("button", { name: "Show event" }).first().click();
      await page.getByLabel("Event", { exact: true }).filter({ hasText: "yesterday" }).waitFor();
    },
  ],
  [
    "what only the engine's server tells: impact, paths with every hop, the events of a run",
    async (world) => {
      const { page, real } = world;
      const orders = await idOf(world, "datasets", "orders");
      await open(world, `/datasets/${orders}/impact?column=amount`);
      if (!real) return page.getByText("This server cannot tell").waitFor();
      const hit = page.getByRole("table", { name: "Datasets hit" });
      for (const title of ["order_totals", "fraud_alerts", "shop/daily_revenue"]) await hit.getByRole("link", { name: title, exact: true }).waitFor();
      await open(world, `/datasets/${orders}/lineage?columns=1&focus=DATASET:${orders}%23amount`);
      await page.getByRole("button", { name: "All paths, with expressions" }).click();
      await page.getByTestId("paths-downstream").getByRole("link", { name: "fraud_alerts" }).first().waitFor();
      await open(world, `/runs/${await idOf(world, "runs", "daily-revenue")}`);
      await page.getByRole("region", { name: "Events" }).getByText("FAIL").waitFor();
    },
  ],
  [
    "an unknown address and an unknown id say so",
    async (world) => {
      const { page } = world;
      await open(world, "/nowhere");
      await page.getByText("No such page").waitFor();
      await open(world, "/datasets/999999");
      await page.getByText("No such dataset").waitFor();
    },
  ],
];
