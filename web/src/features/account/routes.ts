import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "@/shared/router/root";

const tokens = createRoute({
  getParentRoute: () => rootRoute,
  path: "/tokens",
  component: lazyRouteComponent(() => import("./TokensPage"), "TokensPage"),
});

/** Pages about the user. */
export const accountRoutes = [tokens] as const;
