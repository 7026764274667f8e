/** Empties the folder the server embeds, but for the `.gitignore` that keeps the folder in the repository. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = process.env.HEADWATER_WEB_OUT ?? fileURLToPath(new URL("../../crates/lineage-server/assets", import.meta.url));
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (name !== ".gitignore") rmSync(`${folder}/${name}`, { recursive: true });
