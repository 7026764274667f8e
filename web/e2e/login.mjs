/** Signing in, against the fixtures: the engine's server would need a provider. */
import { check, until } from "./world.mjs";

/** @typedef {{ page: import("playwright-core").Page, url: string }} World */

/** @type {Record<string, [string, (world: World) => Promise<void>][]>} */
export const loginSteps = {
  dummy: [
    [
      "with a name and a password, back at the linked place; then an empty catalog says what to do",
      async ({ page, url }) => {
        await page.goto(`${url}#/jobs?q=orders`);
        await page.locator("input[name=username]").fill("me");
        await page.locator("input[name=password]").fill("secret");
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByRole("heading", { name: "Jobs" }).waitFor();
        check(page.url().includes("q=orders"), `after the login the address is ${page.url()}`);
        await page.goto(`${url}#/datasets`);
        await page.getByText("No datasets yet").waitFor();
        await page.getByText("/v1/openlineage").waitFor();
      },
    ],
    [
      "a personal token is made and shown once",
      async ({ page, url }) => {
        await page.goto(`${url}#/tokens`);
        await page.locator("input[name=username]").fill("me");
        await page.locator("input[name=password]").fill("secret");
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByRole("button", { name: "New token" }).click();
        await page.getByRole("dialog").getByLabel("Name").fill("ci");
        await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
        await page.getByText(/personal_token_/).waitFor();
        await page.getByRole("button", { name: "Done" }).click();
        await page.getByRole("cell", { name: "ci", exact: true }).waitFor();
        check((await page.getByText(/personal_token_/).count()) === 0, "the secret is still shown");
      },
    ],
  ],
  oidc: [
    [
      "at an identity provider: the way there",
      async ({ page, url }) => {
        await page.route("http://localhost:9999/**", (route) => route.fulfill({ body: "the provider", contentType: "text/plain" }));
        await page.goto(`${url}#/runs`);
        await page.getByRole("button", { name: "Continue to sign in" }).click();
        await until("the provider's page is open", () => Promise.resolve(page.url().startsWith("http://localhost:9999/sign-in")));
      },
    ],
    [
      "at an identity provider: the way back hands the code over and opens the place before",
      async ({ page, url }) => {
        /** @type {string[]} */
        const codes = [];
        await page.route("**/v1/auth/callback?**", (route) => {
          codes.push(new URL(route.request().url()).searchParams.get("code") ?? "");
          return route.fulfill({ status: 204 });
        });
        await page.addInitScript("sessionStorage.setItem('headwater.return-to', '#/runs?page=1')");
        await page.goto(`${url}?code=abc&state=xyz`);
        await until("the place before is open", () => Promise.resolve(page.url() === `${url}#/runs?page=1`));
        check(codes.join() === "abc", `the code handed over is ${codes.join()}`);
      },
    ],
  ],
};
