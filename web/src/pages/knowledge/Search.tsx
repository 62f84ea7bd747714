/** Tries the store: what it finds for a question, best first. */
import { Button, Skeleton, Stack, Text, TextInput, Title, VisuallyHidden } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { api, call } from "../../api/client";
import type { SearchHit } from "../../api/types";
import { ErrorState } from "../../components/ErrorState";
import { excerpt } from "../../components/excerpt";
import type { PassagePlace } from "../../components/PassageDrawer";
import classes from "./Search.module.css";

interface SearchProps {
  storeId: string;
  onOpen: (place: PassagePlace) => void;
}

export function Search({ storeId, onOpen }: SearchProps) {
  const [text, setText] = useState("");
  const [query, setQuery] = useState("");
  const found = useQuery({
    queryKey: ["search", storeId, query],
    queryFn: () =>
      call(
        api.POST("/v1/vector_stores/{store_id}/search", {
          params: { path: { store_id: storeId } },
          body: { query, max_num_results: 10 },
        }),
      ),
    enabled: query !== "",
    placeholderData: keepPreviousData,
    staleTime: 0,
    retry: false,
  });

  function submit(event: FormEvent) {
    event.preventDefault();
    const next = text.trim();
    if (next !== "" && next === query) void found.refetch();
    setQuery(next);
  }

  return (
    <section aria-label="Search">
      <Title order={2}>Try a search</Title>
      <Text c="dimmed" mt={4} mb="md">
        The passages that an app would put before the model for this question.
      </Text>
      <form className={classes.form} role="search" onSubmit={submit}>
        <TextInput
          className={classes.field}
          aria-label="Question to search for"
          placeholder="How do I restore a backup?"
          leftSection={<IconSearch size={17} stroke={1.6} aria-hidden />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" loading={found.isFetching}>
          Search
        </Button>
      </form>
      {query !== "" && found.isPending && (
        <Stack gap="sm" mt="lg" aria-label="Searching">
          {[0, 1, 2].map((one) => (
            <Skeleton key={one} height={76} />
          ))}
        </Stack>
      )}
      {found.isError && (
        <ErrorState
          title="The search failed"
          error={found.error}
          retry={() => void found.refetch()}
        />
      )}
      {query !== "" && found.data?.data.length === 0 && (
        <Text c="dimmed" mt="lg" role="status">
          Nothing in this store matches.
        </Text>
      )}
      {query !== "" && (
        <ol className={classes.hits} aria-label="Passages found">
          {found.data?.data.map((hit) => (
            <li key={hit.chunk_id}>
              <Hit
                hit={hit}
                onOpen={() =>
                  onOpen({ store_id: storeId, chunk_id: hit.chunk_id, filename: hit.filename })
                }
              />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Hit({ hit, onOpen }: { hit: SearchHit; onOpen: () => void }) {
  const where = [...(hit.page == null ? [] : [`Page ${hit.page}`]), ...hit.headings];
  return (
    <button type="button" className={`${classes.hit} rise`} onClick={onOpen}>
      <span className={classes.head}>
        <span className={classes.name}>{hit.filename}</span>
        <span className={classes.where}>{where.join(" › ")}</span>
        <span
          className={classes.score}
          title={`Score ${hit.score.toFixed(3)}, similarity of meaning ${hit.similarity.toFixed(3)}`}
        >
          <VisuallyHidden>Score </VisuallyHidden>
          {hit.score.toFixed(2)}
        </span>
      </span>
      <span className={classes.text}>{textOf(hit)}</span>
    </button>
  );
}

function textOf({ content }: SearchHit): string {
  const text = content.map((part) => part.text).join("\n\n");
  return excerpt(text) || text;
}
