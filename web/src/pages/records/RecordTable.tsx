/** Records as rows that lead to each; on a phone every row folds into a few lines. */
import { Link, useLocation } from "react-router";

import type { CallRecord } from "../../api/types";
import { excerpt } from "../../components/excerpt";
import { Status } from "../../components/Status";
import { ago, count, duration, moment } from "../../format";
import { FeedbackIcons } from "./FeedbackIcons";
import { answerOf, questionOf, STATUSES } from "./reading";
import classes from "./RecordTable.module.css";

interface RecordTableProps {
  records: CallRecord[];
  /** Shown until those of a new filter arrive. */
  stale: boolean;
}

export function RecordTable({ records, stale }: RecordTableProps) {
  return (
    <table className={classes.table} data-stale={stale || undefined} aria-busy={stale}>
      <thead>
        <tr>
          <th scope="col">Question and answer</th>
          <th scope="col">Model</th>
          <th scope="col" className={classes.number}>
            Tokens
          </th>
          <th scope="col" className={classes.number}>
            Duration
          </th>
          <th scope="col">Feedback</th>
          <th scope="col" className={classes.number}>
            Time
          </th>
        </tr>
      </thead>
      <tbody>
        {records.map((record) => (
          <Row key={record.id} record={record} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ record }: { record: CallRecord }) {
  const { search } = useLocation();
  const { id, model, usage, status, error, kind, duration_ms: ms, created_at: at } = record;
  const { tone, label } = STATUSES[status];
  const answer = excerpt(answerOf(record).slice(0, 600)) || error || "";
  return (
    <tr className="rise">
      <td className={classes.what}>
        <Link to={`/records/${id}`} state={{ list: search }} className={classes.link}>
          <span role="img" aria-label={label}>
            <Status tone={tone} title={label} />
          </span>
          <span className={classes.question}>{questionOf(record).slice(0, 300) || `A ${kind}`}</span>
        </Link>
        {answer !== "" && <div className={classes.answer}>{answer}</div>}
      </td>
      <td className={classes.model}>{model}</td>
      <td className={classes.number} data-unit="tokens">
        {usage ? count(usage.total_tokens) : "–"}
      </td>
      <td className={classes.number}>{duration(ms)}</td>
      <td className={classes.feedback}>
        <FeedbackIcons feedback={record.feedback} />
      </td>
      <td className={classes.number}>
        <time dateTime={new Date(at * 1000).toISOString()} title={moment(at)}>
          {ago(at)}
        </time>
      </td>
    </tr>
  );
}
