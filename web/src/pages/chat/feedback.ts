/** What the person says about an answer; shown at once, stored by the server. */
import { useMutation } from "@tanstack/react-query";

import { api, call, queries } from "../../api/client";
import type { Feedback, Item, Metric } from "../../api/types";
import { notifyError } from "../../components/notify";

interface Given {
  metric: Metric;
  value: unknown;
}

/** Gives and takes back feedback on one record of a conversation. */
export function useFeedback(conversationId: string, recordId: string) {
  const key = ["items", conversationId];

  function change(next: (feedback: Feedback[]) => Feedback[], of: string = recordId) {
    queries.setQueryData<Item[]>(key, (items) =>
      items?.map((item) =>
        item.record_id === of ? { ...item, feedback: next(item.feedback ?? []) } : item,
      ),
    );
  }

  const options = {
    onError: (error: unknown) => {
      notifyError(error, "Your feedback was not saved");
      void queries.invalidateQueries({ queryKey: key });
    },
  };
  const give = useMutation({
    ...options,
    mutationFn: ({ metric, value }: Given) =>
      call(api.POST("/v1/feedback", { body: { record_id: recordId, metric, value } })),
    onMutate: ({ metric, value }) => change((all) => [...without(all, metric), draft(metric, value)]),
    onSuccess: (saved) => change((all) => [...without(all, saved.metric as Metric), saved]),
  });
  const take = useMutation({
    ...options,
    mutationFn: ({ id }: Feedback) =>
      call(api.DELETE("/v1/feedback/{id}", { params: { path: { id } } })),
    onMutate: ({ id, record_id }) =>
      change((all) => all.filter((one) => one.id !== id), record_id),
  });

  function draft(metric: Metric, value: unknown): Feedback {
    const created_at = Math.floor(Date.now() / 1000);
    return { id: "", object: "feedback", record_id: recordId, metric, value, created_at } as Feedback;
  }

  return { give, take };
}

function without(feedback: Feedback[], metric: Metric): Feedback[] {
  return feedback.filter((one) => one.metric !== metric);
}

export function newest(feedback: Feedback[], metric: Metric): Feedback | undefined {
  return feedback.findLast((one) => one.metric === metric);
}

/** true is up, false is down. */
export function thumbs(feedback: Feedback[]): boolean | null {
  const value = newest(feedback, "thumbs")?.value as unknown;
  if (value === true || value === "up") return true;
  if (value === false || value === "down") return false;
  return null;
}
