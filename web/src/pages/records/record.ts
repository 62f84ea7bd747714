/** One record, and the feedback on it. */
import { queryOptions, useMutation } from "@tanstack/react-query";

import { api, call, queries } from "../../api/client";
import type { Feedback, Metric } from "../../api/types";
import { notifyError } from "../../components/notify";

export function recordQuery(recordId: string) {
  return queryOptions({
    queryKey: ["records", recordId],
    queryFn: () => call(api.GET("/v1/records/{id}", { params: { path: { id: recordId } } })),
  });
}

/** Gives and takes back feedback on one record; the lists and the conversation follow. */
export function useRecordFeedback(recordId: string) {
  const options = {
    onError: (error: unknown) => notifyError(error, "Your feedback was not saved"),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ["records"] }),
        queries.invalidateQueries({ queryKey: ["items"] }),
      ]),
  };
  const give = useMutation({
    ...options,
    mutationFn: ({ metric, value }: { metric: Metric; value: unknown }) =>
      call(api.POST("/v1/feedback", { body: { record_id: recordId, metric, value } })),
  });
  const take = useMutation({
    ...options,
    mutationFn: ({ id }: Feedback) =>
      call(api.DELETE("/v1/feedback/{id}", { params: { path: { id } } })),
  });
  return { give, take };
}
