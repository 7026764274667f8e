/** The root all features hang their routes under. What it draws is the app's business. */
import { createRootRoute } from "@tanstack/react-router";

export const rootRoute = createRootRoute();
