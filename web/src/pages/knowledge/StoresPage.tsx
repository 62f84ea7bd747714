/** All stores as cards: what is in each, and whether it is ready to answer from. */
import { Button, SimpleGrid, Skeleton, Text, Title } from "@mantine/core";
import { IconBooks, IconFolder, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "react-router";

import { useSession } from "../../api/session";
import type { VectorStore } from "../../api/types";
import { EmptyState } from "../../components/EmptyState";
import { ErrorState } from "../../components/ErrorState";
import { Page } from "../../components/Page";
import { Status } from "../../components/Status";
import { ago, bytes, count } from "../../format";
import { NewStore } from "./NewStore";
import { stateOf, storesQuery } from "./stores";
import classes from "./StoresPage.module.css";

export function StoresPage() {
  const [creating, setCreating] = useState(false);
  const { data: session } = useSession();
  const create = session?.role === "admin" && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
      New store
    </Button>
  );
  return (
    <Page
      title="Knowledge"
      description="Stores of documents that apps answer from, with the passage behind every claim."
      actions={create}
    >
      <Stores create={create} />
      <NewStore opened={creating} onClose={() => setCreating(false)} />
    </Page>
  );
}

function Stores({ create }: { create: ReactNode }) {
  const stores = useInfiniteQuery(storesQuery);
  if (stores.isPending) {
    return (
      <SimpleGrid cols={{ base: 1, sm: 2 }} aria-label="Loading the stores">
        {[0, 1, 2, 3].map((one) => (
          <Skeleton key={one} height={138} radius="lg" />
        ))}
      </SimpleGrid>
    );
  }
  if (stores.isError) return <ErrorState error={stores.error} retry={() => void stores.refetch()} />;
  if (stores.data.length === 0) {
    return (
      <EmptyState icon={IconBooks} title="No documents yet" action={create}>
        A store holds documents as passages that can be found by their meaning.
        {create && " Create one and drop files into it."}
      </EmptyState>
    );
  }
  return (
    <>
      <SimpleGrid component="ul" cols={{ base: 1, sm: 2 }} className={classes.cards}>
        {stores.data.map((store) => (
          <li key={store.id}>
            <StoreCard store={store} />
          </li>
        ))}
      </SimpleGrid>
      {stores.hasNextPage && (
        <Button
          variant="default"
          mt="lg"
          loading={stores.isFetchingNextPage}
          onClick={() => void stores.fetchNextPage()}
        >
          Load more
        </Button>
      )}
    </>
  );
}

function StoreCard({ store }: { store: VectorStore }) {
  const { name, file_counts: files, paths, usage_bytes: size, last_active_at: active } = store;
  return (
    <Link to={`/knowledge/${store.id}`} className={classes.card}>
      <div className={classes.head}>
        <Title order={3} className={classes.name}>
          {name || "Untitled"}
        </Title>
        <Status {...stateOf(store)} />
      </div>
      <Text size="sm" c="dimmed">
        {files.total === 0 ? "No files" : `${count(files.total, "file")} · ${bytes(size)}`}
        {files.total > 0 && active != null && ` · used ${ago(active)}`}
      </Text>
      {paths.length > 0 && (
        <Text size="sm" c="dimmed" className={classes.follows} title={paths.join("\n")}>
          <IconFolder size={15} stroke={1.6} aria-hidden />
          <span>Follows {paths.map(lastOf).join(", ")}</span>
        </Text>
      )}
    </Link>
  );
}

function lastOf(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== "") ?? path;
}
