/** The start of a conversation: who answers, and a few things to ask. */
import { Anchor, Text, Title } from "@mantine/core";
import { IconArrowUpRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { api, call } from "../../api/client";
import type { Model } from "../../api/types";
import { count } from "../../format";
import { suggest } from "./suggestions";
import classes from "./Welcome.module.css";

interface WelcomeProps {
  model: Model;
  onAsk: (question: string) => void;
}

export function Welcome({ model, onAsk }: WelcomeProps) {
  const isApp = model.headstart.kind === "app";
  const knowledge = useKnowledge(isApp ? model.id : null);
  const files = knowledge.data?.files ?? [];
  return (
    <div className={`${classes.welcome} rise`}>
      <Title order={1} className={classes.title}>
        What would you like to know?
      </Title>
      <Text c="dimmed" size="lg" maw="52ch">
        {isApp ? (
          <>
            <b>{model.id}</b> answers from{" "}
            {knowledge.data && knowledge.data.total > 0 ? (
              <Anchor component={Link} to="/knowledge" inherit>
                {count(knowledge.data.total, "document")}
              </Anchor>
            ) : (
              "your documents"
            )}{" "}
            and shows the passages that it relies on.
          </>
        ) : (
          <>
            You are talking to <b>{model.id}</b> as it is, without documents. Nothing leaves this
            machine.
          </>
        )}
      </Text>
      <ul className={classes.suggestions} aria-label="Suggestions">
        {suggest(isApp, files).map((question) => (
          <li key={question}>
            <button type="button" className={classes.suggestion} onClick={() => onAsk(question)}>
              {question}
              <IconArrowUpRight size={16} stroke={1.6} aria-hidden />
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** How many documents an app answers from, and the names of some. */
function useKnowledge(app: string | null) {
  return useQuery({
    queryKey: ["apps", app, "knowledge"],
    enabled: app !== null,
    queryFn: async () => {
      const [apps, stores] = await Promise.all([
        call(api.GET("/v1/apps")),
        call(api.GET("/v1/vector_stores", { params: { query: { limit: 100 } } })),
      ]);
      const names = apps.data.find(({ name }) => name === app)?.knowledge ?? [];
      const used = stores.data.filter(({ name }) => name != null && names.includes(name));
      const total = used.reduce((sum, { file_counts }) => sum + file_counts.completed, 0);
      const first = used[0];
      if (first === undefined) return { total, files: [] };
      const files = await call(
        api.GET("/v1/vector_stores/{store_id}/files", {
          params: { path: { store_id: first.id }, query: { limit: 30, filter: "completed" } },
        }),
      );
      return { total, files: files.data.map(({ filename }) => filename) };
    },
  });
}
