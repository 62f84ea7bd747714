/** The numbers and names of a call, beside it. */
import { Link } from "react-router";
import type { ReactNode } from "react";

import type { CallRecord } from "../../api/types";
import { CopyButton } from "../../components/CopyButton";
import { count, duration } from "../../format";
import classes from "./Facts.module.css";
import { endOf } from "./reading";

type Fact = [name: string, value: ReactNode];

export function Facts({ record }: { record: CallRecord }) {
  const { usage, first_token_ms: first, duration_ms: total, conversation_id: talk } = record;
  return (
    <aside className={classes.facts} aria-label="Facts">
      <Group
        title="Call"
        facts={[
          ["Model", record.model],
          ["Endpoint", record.endpoint],
          ["App", record.app],
          ["Kind", record.kind],
          ["Key", record.key_id],
          ["Conversation", talk && <Link key="link" to={`/chat/${talk}`}>Open</Link>],
          [
            "Alternative to",
            record.alternative_to && (
              <Link key="link" to={`/records/${record.alternative_to}`}>
                Another answer
              </Link>
            ),
          ],
        ]}
      />
      <Group
        title="Time and tokens"
        facts={[
          ["First token", first === null ? null : duration(first)],
          ["Whole answer", duration(total)],
          ["Prompt", usage && count(usage.prompt_tokens, "token")],
          ["Answer", usage && count(usage.completion_tokens, "token")],
          ["Speed", speedOf(record)],
          ["Ended by", endOf(record)],
        ]}
      />
      <Group
        title="Versions"
        facts={Object.entries(record.versions).map(([name, value]): Fact => {
          const text = typeof value === "string" ? value : JSON.stringify(value);
          const brief = text.length > 22 ? `${text.slice(0, 12)}…` : text;
          const shown = (
            <span key={name} title={text}>
              {brief}
            </span>
          );
          return [name.replaceAll("_", " "), shown];
        })}
      />
      <div className={classes.id}>
        <code>{record.id}</code>
        <CopyButton text={record.id} label="Copy the id" size="md" />
      </div>
    </aside>
  );
}

function Group({ title, facts }: { title: string; facts: Fact[] }) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined);
  if (known.length === 0) return null;
  return (
    <section>
      <h2>{title}</h2>
      <dl>
        {known.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function speedOf({ usage, first_token_ms: first, duration_ms: total }: CallRecord): string | null {
  if (usage === null || first === null || usage.completion_tokens < 2 || total <= first) return null;
  const rate = (usage.completion_tokens - 1) / ((total - first) / 1000);
  return `${count(Number(rate.toFixed(rate < 10 ? 1 : 0)))} tokens/s`;
}
