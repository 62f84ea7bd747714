/** Routes: the layout around lazily loaded pages. */
import { IconMapOff } from "@tabler/icons-react";
import { createBrowserRouter, useRouteError } from "react-router";

import { EmptyState } from "../components/EmptyState";
import { ErrorState } from "../components/ErrorState";
import { Page } from "../components/Page";
import { Splash } from "../components/Splash";
import { pages } from "../pages/pages";
import { Layout } from "./Layout";

function BrokenPage() {
  return (
    <ErrorState
      title="This page stopped working"
      error={useRouteError()}
      retry={() => location.reload()}
    />
  );
}

function UnknownPage() {
  return (
    <Page title="Not found">
      <EmptyState icon={IconMapOff} title="There is no page at this address">
        The link may be old. The navigation shows what there is.
      </EmptyState>
    </Page>
  );
}

export const router = createBrowserRouter([
  {
    element: <Layout />,
    errorElement: <BrokenPage />,
    hydrateFallbackElement: <Splash />,
    children: [
      ...pages.flatMap(({ path, paths = [], load }) =>
        [path, ...paths].map((one) => ({
          path: one,
          errorElement: <BrokenPage />,
          lazy: async () => ({ Component: (await load()).default }),
        })),
      ),
      { path: "*", element: <UnknownPage /> },
    ],
  },
]);
