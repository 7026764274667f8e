/**
 * All addresses of the pages. They stand behind the `#`, as those of Flink's dashboard do: links of producers to
 * `…/#/job/running/<id>` keep working, no path of the REST interface is taken away, and any web server can hold the pages.
 */
import { createHashHistory, createRouter } from "@tanstack/react-router";
import { accountRoutes } from "@/features/account/routes";
import { lineageRoutes } from "@/features/lineage/routes";
import { rootRoute } from "@/shared/router/root";
import { parseSearchText, searchText } from "@/shared/search";
import { Empty, Failure, Loading } from "@/shared/ui/States";
import { Shell } from "./Shell";

rootRoute.update({ component: Shell });

export const router = createRouter({
  routeTree: rootRoute.addChildren([...lineageRoutes, ...accountRoutes]),
  history: createHashHistory(),
  parseSearch: parseSearchText,
  stringifySearch: searchText,
  defaultPendingComponent: () => <Loading what="page" />,
  defaultErrorComponent: ({ error, reset }) => <Failure error={error instanceof Error ? error : new Error(String(error))} retry={reset} />,
  defaultNotFoundComponent: () => <Empty title="No such page">The address leads nowhere. Choose a page on the left.</Empty>,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
