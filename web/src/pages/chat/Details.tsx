/** Tokens and times of an answer: measured here while it was written, or from its record. */
import { ActionIcon, Popover, Skeleton, Text, Tooltip } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { api, call } from "../../api/client";
import { messageOf } from "../../api/errors";
import type { CallRecord } from "../../api/types";
import { count, duration } from "../../format";
import classes from "./Details.module.css";
import { exchanges, type Timing } from "./exchanges";

export function Details({ recordId }: { recordId: string }) {
  const [opened, setOpened] = useState(false);
  const timing = exchanges.timingOf(recordId);
  return (
    <>
      <Popover
        opened={opened}
        onChange={setOpened}
        width={290}
        shadow="md"
        position="top"
        trapFocus
        returnFocus
      >
        <Popover.Target>
          <Tooltip label="Tokens, times and the whole record" disabled={opened}>
            <ActionIcon
              size="md"
              aria-label="Details of this answer"
              aria-expanded={opened}
              onClick={() => setOpened(!opened)}
            >
              <IconInfoCircle size={17} stroke={1.6} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </Popover.Target>
        <Popover.Dropdown>{opened && <RecordDetails recordId={recordId} />}</Popover.Dropdown>
      </Popover>
      {timing && <span className={classes.line}>{lineOf(timing)}</span>}
    </>
  );
}

function lineOf({ usage, firstTextMs, durationMs }: Timing): string {
  const parts = [];
  if (usage) parts.push(count(usage.completion_tokens, "token"));
  if (durationMs !== null) parts.push(duration(durationMs));
  if (usage && durationMs !== null && firstTextMs !== null && durationMs - firstTextMs > 200) {
    const rate = (usage.completion_tokens - 1) / ((durationMs - firstTextMs) / 1000);
    parts.push(`${rate.toFixed(rate < 10 ? 1 : 0)} tokens/s`);
  }
  return parts.join(" · ");
}

function RecordDetails({ recordId }: { recordId: string }) {
  const record = useQuery({
    queryKey: ["records", recordId],
    queryFn: () => call(api.GET("/v1/records/{id}", { params: { path: { id: recordId } } })),
  });
  if (record.isPending) return <Skeleton height={110} aria-label="Loading" />;
  if (record.isError) {
    return (
      <Text size="sm" c="dimmed" role="alert">
        {messageOf(record.error)}
      </Text>
    );
  }
  return (
    <>
      <dl className={classes.facts}>
        {factsOf(record.data).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Link to={`/records/${recordId}`} className={classes.link}>
        See everything of this call
      </Link>
    </>
  );
}

function factsOf(record: CallRecord): [string, string][] {
  const { model, endpoint, usage, first_token_ms: first, duration_ms: total } = record;
  const facts: [string, string | null][] = [
    ["Answered by", endpoint && endpoint !== model ? `${model} on ${endpoint}` : model],
    ["Prompt", usage ? count(usage.prompt_tokens, "token") : null],
    ["Answer", usage ? count(usage.completion_tokens, "token") : null],
    ["First token after", first == null ? null : duration(first)],
    ["Whole answer in", total == null ? null : duration(total)],
    ["Passages", record.passages.length > 0 ? count(record.passages.length) : null],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== null);
}
