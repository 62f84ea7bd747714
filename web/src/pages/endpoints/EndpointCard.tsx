/** One endpoint: its state, the model behind it, and what serves it. */
import { ActionIcon, Group, Text, Title, Tooltip } from "@mantine/core";
import { IconFileText, IconTrash } from "@tabler/icons-react";

import type { Endpoint } from "../../api/types";
import { Status } from "../../components/Status";
import { ago, bytes, count } from "../../format";
import { ChatLink } from "./ChatLink";
import classes from "./EndpointCard.module.css";
import { canChat, engineOf, seconds, stateOf } from "./endpoints";
import { PullProgress } from "./PullProgress";

interface EndpointCardProps {
  endpoint: Endpoint;
  /** Absent for those who may not. */
  onLogs?: () => void;
  onDelete?: () => void;
}

export function EndpointCard({ endpoint, onLogs, onDelete }: EndpointCardProps) {
  const { name, model, variant, error, status, created_at: created } = endpoint;
  return (
    <article className={classes.card} aria-label={name}>
      <div className={classes.head}>
        <div className={classes.names}>
          <Group gap={12} wrap="nowrap">
            <Title order={3} className={classes.name}>
              {name}
            </Title>
            <Status {...stateOf(endpoint)} />
          </Group>
          <Text size="sm" c="dimmed" truncate>
            {model}
            {variant !== null && variant !== model && ` · ${variant}`} · deployed {ago(created)}
          </Text>
        </div>
        <Group gap={4} wrap="nowrap">
          {canChat(endpoint) && <ChatLink name={name} variant="default" size="xs" mr={6} />}
          {onLogs && (
            <Tooltip label="Logs">
              <ActionIcon size="lg" aria-label={`Logs of ${name}`} onClick={onLogs}>
                <IconFileText size={18} stroke={1.6} aria-hidden />
              </ActionIcon>
            </Tooltip>
          )}
          {onDelete && (
            <Tooltip label="Delete">
              <ActionIcon size="lg" aria-label={`Delete ${name}`} onClick={onDelete}>
                <IconTrash size={18} stroke={1.6} aria-hidden />
              </ActionIcon>
            </Tooltip>
          )}
        </Group>
      </div>
      <PullProgress endpoint={endpoint} />
      {error !== null && (
        <Text size="sm" className={classes.error} role={status === "failed" ? "alert" : undefined}>
          {error}
        </Text>
      )}
      <Facts endpoint={endpoint} />
    </article>
  );
}

function Facts({ endpoint }: { endpoint: Endpoint }) {
  const { engine, engine_reason: reason, requested_engine: requested } = endpoint;
  const { memory_bytes: memory, context_length: context, idle_timeout: idle, restarts } = endpoint;
  return (
    <dl className={classes.facts}>
      <div className={classes.wide}>
        <dt>Engine</dt>
        <dd>
          {engine === null && requested === "auto"
            ? "Not chosen yet"
            : engineOf(engine ?? requested)}
          {reason !== null && <span className={classes.reason}>{reason}</span>}
        </dd>
      </div>
      <div>
        <dt>Memory</dt>
        <dd>{memory === null ? "–" : bytes(memory)}</dd>
      </div>
      <div>
        <dt>Context</dt>
        <dd>{context === null ? "–" : count(context, "token")}</dd>
      </div>
      <div>
        <dt>Stops when idle</dt>
        <dd>{idle === null ? "Never" : `After ${seconds(idle)}`}</dd>
      </div>
      <div>
        <dt>Restarts</dt>
        <dd>{count(restarts)}</dd>
      </div>
    </dl>
  );
}
