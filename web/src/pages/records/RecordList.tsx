/** Every call as a row, newest first; new ones appear by themselves. */
import { ActionIcon, Button, Skeleton, Stack, Tooltip } from "@mantine/core";
import { IconListDetails, IconRefresh, IconSearchOff } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";

import { api, call } from "../../api/client";
import { EmptyState } from "../../components/EmptyState";
import { ErrorState } from "../../components/ErrorState";
import { Page } from "../../components/Page";
import { Status } from "../../components/Status";
import { FilterBar } from "./FilterBar";
import { queryOf, useFilters } from "./filters";
import { RecordTable } from "./RecordTable";

const PAGE = 30;
const LIVE_MS = 5000;
const LIVE_PAGES = 3; // a longer list is asked for again only when someone wants it

export function RecordList() {
  const [filters, change] = useFilters();
  const narrowed = Object.values(filters).some((value) => value !== undefined);
  const records = useInfiniteQuery({
    queryKey: ["records", filters],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: after }) =>
      call(api.GET("/v1/records", { params: { query: { ...queryOf(filters), limit: PAGE, after } } })),
    getNextPageParam: (page) => (page.has_more ? (page.last_id ?? undefined) : undefined),
    placeholderData: keepPreviousData,
    select: ({ pages }) => pages.flatMap(({ data }) => data),
    refetchInterval: ({ state }) =>
      (state.data?.pages.length ?? 0) <= LIVE_PAGES && state.error === null && LIVE_MS,
  });
  const live = (records.data?.length ?? 0) <= LIVE_PAGES * PAGE && !records.isError;

  return (
    <Page
      title="Records"
      description="Every call with what the model saw, what it answered, and what people said about it."
      actions={
        <>
          <Tooltip
            label={live ? "New calls appear by themselves" : "Refresh to see new calls"}
            position="left"
          >
            <span>
              <Status tone={live ? "good" : "idle"} label={live ? "Live" : "Paused"} />
            </span>
          </Tooltip>
          <Tooltip label="Refresh">
            <ActionIcon
              size="lg"
              aria-label="Refresh the records"
              onClick={() => void records.refetch()}
            >
              <IconRefresh size={18} stroke={1.6} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </>
      }
    >
      <FilterBar filters={filters} onChange={change} />
      {records.isPending && (
        <Stack gap="xs" aria-label="Loading the records">
          {[0, 1, 2, 3, 4, 5].map((one) => (
            <Skeleton key={one} height={62} />
          ))}
        </Stack>
      )}
      {records.isError && <ErrorState error={records.error} retry={() => void records.refetch()} />}
      {records.data?.length === 0 && (narrowed ? <NothingFound /> : <Nothing />)}
      {records.data !== undefined && records.data.length > 0 && (
        <RecordTable records={records.data} stale={records.isPlaceholderData} />
      )}
      {records.hasNextPage && (
        <Button
          variant="default"
          mt="lg"
          loading={records.isFetchingNextPage}
          onClick={() => void records.fetchNextPage()}
        >
          Load more
        </Button>
      )}
    </Page>
  );
}

function Nothing() {
  return (
    <EmptyState icon={IconListDetails} title="No calls yet">
      Ask something in the chat, or call the API with any OpenAI client: each call is recorded here.
    </EmptyState>
  );
}

function NothingFound() {
  return (
    <EmptyState icon={IconSearchOff} title="No record matches">
      Take a filter away, or search for other words.
    </EmptyState>
  );
}
