/** The machine that the server runs on, and what is free on it. */
import { queryOptions } from "@tanstack/react-query";

import { api, call } from "./client";

export const machineQuery = queryOptions({
  queryKey: ["machine"],
  queryFn: () => call(api.GET("/v1/hub/machine")),
});
