/** Everything about one call: question, answer, what the model saw, and what people said. */
import { Anchor, Skeleton, Stack, Text } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation } from "react-router";

import type { CallRecord } from "../../api/types";
import { ErrorState } from "../../components/ErrorState";
import { Page } from "../../components/Page";
import { PassageDrawer, type PassagePlace } from "../../components/PassageDrawer";
import { Status } from "../../components/Status";
import { moment } from "../../format";
import { Cited } from "../chat/cited";
import { Alternatives } from "./Alternatives";
import { Answer } from "./Answer";
import { Facts } from "./Facts";
import { FeedbackSection } from "./FeedbackSection";
import { Fold } from "./Fold";
import { Passages } from "./Passages";
import { annotationsOf, answerOf, earlierThan, questionOf, STATUSES } from "./reading";
import { recordQuery } from "./record";
import classes from "./RecordPage.module.css";
import { Steps } from "./Steps";

export function RecordPage({ recordId }: { recordId: string }) {
  const record = useQuery(recordQuery(recordId));
  if (record.isPending) {
    return (
      <Page title="Record" back={<Back />}>
        <Stack gap="lg" aria-label="Loading the record">
          <Skeleton height={60} width="60%" radius="lg" ml="auto" />
          <Skeleton height={180} radius="lg" />
          <Skeleton height={120} radius="lg" />
        </Stack>
      </Page>
    );
  }
  if (record.isError) {
    return (
      <Page title="Record" back={<Back />}>
        <ErrorState error={record.error} retry={() => void record.refetch()} />
      </Page>
    );
  }
  return <Loaded record={record.data} />;
}

function Back() {
  const state: unknown = useLocation().state;
  const list =
    typeof state === "object" && state !== null && "list" in state ? String(state.list) : "";
  return (
    <Anchor component={Link} to={`/records${list}`} className={classes.back}>
      <IconArrowLeft size={16} stroke={1.6} aria-hidden />
      Records
    </Anchor>
  );
}

function Loaded({ record }: { record: CallRecord }) {
  const [place, setPlace] = useState<PassagePlace | null>(null);
  const { model, status, prompt, passages, steps, request } = record;
  const answer = answerOf(record);
  const cited = new Cited(answer, annotationsOf(record));
  const sent = JSON.stringify(request, null, 2);
  return (
    <Page
      title={`Call to ${model}`}
      back={<Back />}
      description={
        <span className={classes.line}>
          <Status {...STATUSES[status]} />
          <span>{moment(record.created_at)}</span>
        </span>
      }
    >
      <div className={classes.columns}>
        <div className={classes.main}>
          <section aria-label="Question" className={classes.asked}>
            <div className={classes.question}>{questionOf(record)}</div>
            <Earlier number={earlierThan(record)} />
          </section>
          <Answer record={record} onOpen={setPlace} />
          {record.kind !== "embedding" && <FeedbackSection record={record} answer={answer} />}
          <Alternatives record={record} />
          {passages.length > 0 && (
            <Passages passages={passages} cited={cited} onOpen={setPlace} />
          )}
          {prompt !== null && (
            <Fold title="Prompt" hint="exactly what the model saw" copy={prompt} opened>
              <pre className={classes.code}>{prompt}</pre>
            </Fold>
          )}
          {steps.length > 0 && <Steps steps={steps} />}
          <Fold title="Request" hint="as it was sent" copy={sent}>
            <pre className={classes.code}>{sent}</pre>
          </Fold>
        </div>
        <Facts record={record} />
      </div>
      <PassageDrawer place={place} onClose={() => setPlace(null)} />
    </Page>
  );
}

function Earlier({ number }: { number: number }) {
  if (number === 0) return null;
  return (
    <Text size="xs" c="dimmed" ta="right" mt={6}>
      after {number === 1 ? "one earlier message" : `${number} earlier messages`}
    </Text>
  );
}
