/** The other answers that were made to the same question, with what people thought of each. */
import { Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { api, call } from "../../api/client";
import type { CallRecord } from "../../api/types";
import { excerpt } from "../../components/excerpt";
import { Status } from "../../components/Status";
import { ago } from "../../format";
import classes from "./Alternatives.module.css";
import { FeedbackIcons } from "./FeedbackIcons";
import { alternativesOf, answerOf, STATUSES } from "./reading";

export function Alternatives({ record }: { record: CallRecord }) {
  const { conversation_id: conversation } = record;
  const { data } = useQuery({
    queryKey: ["records", { conversation }],
    queryFn: () => call(api.GET("/v1/records", { params: { query: { conversation, limit: 100 } } })),
    enabled: conversation !== null,
  });
  const others = alternativesOf(record, data?.data ?? []);
  if (others.length === 0) return null;
  return (
    <section aria-label="Other answers" className="rise">
      <Title order={3}>Other answers to this question</Title>
      <ul className={classes.list}>
        {others.map((other) => (
          <li key={other.id}>
            <Link to={`/records/${other.id}`} className={classes.other}>
              <Status tone={STATUSES[other.status].tone} title={STATUSES[other.status].label} />
              <span className={classes.text}>
                {excerpt(answerOf(other).slice(0, 600)) || other.error || "The answer is empty."}
              </span>
              <FeedbackIcons feedback={other.feedback} />
              <span className={classes.time}>{ago(other.created_at)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
