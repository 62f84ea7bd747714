/** What happened before the model answered, and how long each step took. */
import { Title } from "@mantine/core";

import type { CallRecord } from "../../api/types";
import { duration } from "../../format";
import classes from "./Steps.module.css";

export function Steps({ steps }: { steps: CallRecord["steps"] }) {
  const longest = Math.max(...steps.map(msOf), 1);
  return (
    <section aria-label="Steps">
      <Title order={3}>Steps</Title>
      <ol className={classes.steps}>
        {steps.map(({ type, ms: _, ...rest }, index) => {
          const ms = msOf(steps[index]);
          return (
            // oxlint-disable-next-line react/no-array-index-key -- steps have no other name
            <li key={index}>
              <span className={classes.name}>{String(type ?? "step")}</span>
              <span className={classes.rest}>
                {Object.entries(rest).map(([name, value]) => (
                  <span key={name}>
                    {name.replaceAll("_", " ")} <b>{shown(value)}</b>
                  </span>
                ))}
              </span>
              <span className={classes.time}>
                <span className={classes.bar} style={{ width: `${(ms / longest) * 100}%` }} />
                {duration(ms)}
              </span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function msOf(step: CallRecord["steps"][number] | undefined): number {
  return typeof step?.ms === "number" ? step.ms : 0;
}

function shown(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
}
