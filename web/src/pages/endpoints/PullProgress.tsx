/** How far the fetching of a model is: words, and a bar as soon as the end is known. */
import { Progress, Text } from "@mantine/core";

import type { Endpoint } from "../../api/types";
import { progressOf } from "./endpoints";
import classes from "./PullProgress.module.css";

export function PullProgress({ endpoint }: { endpoint: Endpoint }) {
  const { status, progress, name } = endpoint;
  if (status !== "pulling") return null;
  const share = progress?.total ? Math.min(100, (100 * progress.done) / progress.total) : null;
  return (
    <div className={classes.progress}>
      <Progress
        size="sm"
        value={share ?? 100}
        animated={share === null}
        aria-label={`Progress of ${name}`}
      />
      <Text size="xs" c="dimmed" className="tabular">
        {progressOf(endpoint)}
        {share !== null && ` · ${Math.floor(share)} %`}
      </Text>
    </div>
  );
}
