/** One store: put documents in, see how each was read, and try what is found. */
import { ActionIcon, Menu, Skeleton, Stack } from "@mantine/core";
import { IconDots, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { api, call, queries } from "../../api/client";
import { useSession } from "../../api/session";
import type { VectorStore } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { ErrorState } from "../../components/ErrorState";
import { notifyError } from "../../components/notify";
import { Page } from "../../components/Page";
import { PassageDrawer, type PassagePlace } from "../../components/PassageDrawer";
import { Status } from "../../components/Status";
import { bytes, count } from "../../format";
import { Back } from "./Back";
import { Files } from "./Files";
import { Follows } from "./Follows";
import { Search } from "./Search";
import { stateOf, storeQuery, storesQuery } from "./stores";
import classes from "./StorePage.module.css";

export function StorePage({ storeId }: { storeId: string }) {
  const store = useQuery(storeQuery(storeId));
  if (store.isPending) {
    return (
      <Page title="Store" back={<Back />}>
        <Stack gap="lg" aria-label="Loading the store">
          <Skeleton height={150} radius="lg" />
          <Skeleton height={220} radius="lg" />
        </Stack>
      </Page>
    );
  }
  if (store.isError) {
    return (
      <Page title="Store" back={<Back />}>
        <ErrorState error={store.error} retry={() => void store.refetch()} />
      </Page>
    );
  }
  return <Loaded store={store.data} />;
}

function Loaded({ store }: { store: VectorStore }) {
  const [place, setPlace] = useState<PassagePlace | null>(null);
  const { data: session } = useSession();
  const { file_counts: files, usage_bytes: size, embedding_model: embeddings } = store;
  const editable = session?.role === "admin";
  return (
    <Page
      title={store.name || "Untitled"}
      back={<Back />}
      description={
        <span className={classes.line}>
          <Status {...stateOf(store)} />
          <span>{count(files.total, "file")}</span>
          {files.total > 0 && <span>{bytes(size)}</span>}
          <span>
            Embeddings by <code>{embeddings}</code>
          </span>
        </span>
      }
      actions={editable && <StoreMenu store={store} />}
    >
      <div className={classes.sections}>
        {store.paths.length > 0 && <Follows store={store} editable={editable} />}
        <Files store={store} editable={editable} />
        <Search storeId={store.id} onOpen={setPlace} />
      </div>
      <PassageDrawer place={place} onClose={() => setPlace(null)} />
    </Page>
  );
}

function StoreMenu({ store }: { store: VectorStore }) {
  const [asking, setAsking] = useState(false);
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () =>
      call(api.DELETE("/v1/vector_stores/{store_id}", { params: { path: { store_id: store.id } } })),
    onSuccess: async () => {
      await navigate("/knowledge");
      queries.removeQueries({ queryKey: ["stores", store.id] });
      void queries.invalidateQueries({ queryKey: storesQuery.queryKey, exact: true });
    },
    onError: (error) => {
      setAsking(false);
      notifyError(error, "The store was not deleted");
    },
  });
  return (
    <>
      <Menu>
        <Menu.Target>
          <ActionIcon size="lg" aria-label="More about this store">
            <IconDots size={18} stroke={1.6} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            color="red"
            leftSection={<IconTrash size={16} stroke={1.6} aria-hidden />}
            onClick={() => setAsking(true)}
          >
            Delete store
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Confirm
        opened={asking}
        title={`Delete ${store.name || "this store"}?`}
        verb="Delete"
        pending={remove.isPending}
        onConfirm={() => remove.mutate()}
        onClose={() => setAsking(false)}
      >
        Its passages are removed, and apps that answer from it find nothing any more. Folders that it
        follows stay as they are.
      </Confirm>
    </>
  );
}
