/** The very passage that an answer stands on, in the text around it. */
import { Breadcrumbs, Drawer, Skeleton, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { api, call } from "../api/client";
import type { Passage } from "../api/types";
import { ErrorState } from "./ErrorState";
import { Markdown } from "./Markdown";
import classes from "./PassageDrawer.module.css";

export interface PassagePlace {
  store_id: string;
  chunk_id: string;
  filename: string;
  /** What of the passage is cited; highlighted where it is found. */
  quotes?: string[];
}

interface PassageDrawerProps {
  place: PassagePlace | null;
  onClose: () => void;
}

export function PassageDrawer({ place, onClose }: PassageDrawerProps) {
  return (
    <Drawer
      opened={place !== null}
      onClose={onClose}
      size={480}
      withOverlay={false}
      lockScroll={false}
      trapFocus={false}
      shadow="lg"
      title={place?.filename ?? ""}
      classNames={{ title: classes.title, content: classes.drawer, header: classes.header }}
      closeButtonProps={{ "aria-label": "Close the passage" }}
    >
      {place && <Content key={`${place.chunk_id} ${place.quotes?.join("\n") ?? ""}`} place={place} />}
    </Drawer>
  );
}

function Content({ place }: { place: PassagePlace }) {
  const { store_id, chunk_id, quotes } = place;
  const passage = useQuery({
    queryKey: ["passage", store_id, chunk_id],
    queryFn: () =>
      call(
        api.GET("/v1/vector_stores/{store_id}/chunks/{chunk_id}", {
          params: { path: { store_id, chunk_id } },
        }),
      ),
    staleTime: 5 * 60_000,
  });
  if (passage.isError) {
    return (
      <ErrorState
        title="The passage cannot be shown"
        error={passage.error}
        retry={() => void passage.refetch()}
      />
    );
  }
  if (passage.isPending) {
    return (
      <Stack gap="sm" aria-label="Loading the passage">
        {[92, 100, 84, 96, 60].map((width) => (
          <Skeleton key={width} height={14} width={`${width}%`} />
        ))}
      </Stack>
    );
  }
  return <InContext passage={passage.data} quotes={quotes} />;
}

function InContext({ passage, quotes }: { passage: Passage; quotes?: string[] }) {
  const { page, headings, before, after, text } = passage;
  const cited = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const target = cited.current?.querySelector("mark") ?? cited.current;
    target?.scrollIntoView({ block: "center" });
  }, [passage.id]);

  return (
    <article className="rise">
      <Breadcrumbs className={classes.path} separator="›" separatorMargin={6}>
        {page != null && <span>Page {page}</span>}
        {headings.map((heading) => (
          <span key={heading}>{heading}</span>
        ))}
      </Breadcrumbs>
      {before.trim() !== "" && <Markdown text={before} className={classes.around} />}
      <div ref={cited} className={classes.passage} data-passage>
        <Markdown text={text} mark={quotes} />
      </div>
      {after.trim() !== "" && <Markdown text={after} className={classes.around} />}
    </article>
  );
}
