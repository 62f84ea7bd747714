/** The API keys: who may call, since when and until when; make and revoke them. */
import { ActionIcon, Badge, Button, Skeleton, Stack, Table, Text, Title, Tooltip } from "@mantine/core";
import { IconKey, IconPlus, IconTrash } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { api, call } from "../../api/client";
import type { ApiKey } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { EmptyState } from "../../components/EmptyState";
import { ErrorState } from "../../components/ErrorState";
import { notifyDone, notifyError } from "../../components/notify";
import { ago, moment } from "../../format";
import { expiryOf, keysQuery, refreshKeys, usedOf } from "./keys";
import { NewKey } from "./NewKey";
import classes from "./SettingsPage.module.css";

export function KeysSection() {
  const [creating, setCreating] = useState(false);
  return (
    <section aria-labelledby="keys">
      <div className={classes.head}>
        <div>
          <Title order={2} id="keys">
            API keys
          </Title>
          <Text size="sm" c="dimmed" mt={4}>
            One for each program or person, so that it can be revoked alone.
          </Text>
        </div>
        <Button
          variant="default"
          leftSection={<IconPlus size={16} aria-hidden />}
          onClick={() => setCreating(true)}
        >
          New key
        </Button>
      </div>
      <Keys />
      <NewKey opened={creating} onClose={() => setCreating(false)} />
    </section>
  );
}

function Keys() {
  const keys = useInfiniteQuery(keysQuery);
  const [doomed, setDoomed] = useState<ApiKey | null>(null);
  const revoke = useMutation({
    mutationFn: ({ id }: ApiKey) =>
      call(api.DELETE("/v1/organization/admin_api_keys/{id}", { params: { path: { id } } })),
    onSuccess: async (_, { name }) => {
      await refreshKeys();
      notifyDone(`${name ?? "The key"} was revoked`);
    },
    onError: (error) => notifyError(error, "The key was not revoked"),
    onSettled: () => setDoomed(null),
  });

  if (keys.isPending) {
    return (
      <Stack gap="xs" aria-label="Loading the keys">
        {[0, 1, 2].map((one) => (
          <Skeleton key={one} height={46} />
        ))}
      </Stack>
    );
  }
  if (keys.isError) return <ErrorState error={keys.error} retry={() => void keys.refetch()} />;
  if (keys.data.length === 0) return <EmptyState icon={IconKey} title="No keys" />;
  return (
    <>
      <div className={classes.table}>
        <Table aria-labelledby="keys" verticalSpacing="sm" className="tabular">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Role</Table.Th>
              <Table.Th visibleFrom="sm">Created</Table.Th>
              <Table.Th visibleFrom="sm">Last used</Table.Th>
              <Table.Th visibleFrom="sm">Expires</Table.Th>
              <Table.Td />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {keys.data.map((key) => (
              <Row key={key.id} item={key} onRevoke={() => setDoomed(key)} />
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {keys.hasNextPage && (
        <Button
          variant="default"
          mt="lg"
          loading={keys.isFetchingNextPage}
          onClick={() => void keys.fetchNextPage()}
        >
          Load more
        </Button>
      )}
      <Confirm
        opened={doomed !== null}
        title={`Revoke ${doomed?.name ?? "the key"}?`}
        verb="Revoke"
        pending={revoke.isPending}
        onConfirm={() => doomed && revoke.mutate(doomed)}
        onClose={() => setDoomed(null)}
      >
        Programs that use it are refused at once, and browsers that signed in with it are signed
        out. This cannot be undone.
      </Confirm>
    </>
  );
}

function Row({ item, onRevoke }: { item: ApiKey; onRevoke: () => void }) {
  const { name, redacted_value: redacted, owner, created_at: created } = item;
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm" fw={500}>
          {name}
        </Text>
        {redacted !== "…" && <span className={classes.redacted}>{redacted}</span>}
        <Text size="xs" c="dimmed" hiddenFrom="sm" mt={2}>
          Used {usedOf(item).toLowerCase()} · expires {expiryOf(item).replace("Never", "never")}
        </Text>
      </Table.Td>
      <Table.Td>
        <Badge
          variant="light"
          color={owner.role === "admin" ? "pine" : "gray"}
          tt="none"
          fw={500}
          lts={0}
          miw="max-content"
        >
          {owner.role}
        </Badge>
      </Table.Td>
      <Table.Td visibleFrom="sm" title={moment(created)}>
        {ago(created)}
      </Table.Td>
      <Table.Td visibleFrom="sm">{usedOf(item)}</Table.Td>
      <Table.Td visibleFrom="sm">{expiryOf(item)}</Table.Td>
      <Table.Td>
        <Tooltip label="Revoke">
          <ActionIcon size="lg" aria-label={`Revoke ${name ?? redacted}`} onClick={onRevoke}>
            <IconTrash size={17} stroke={1.6} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Table.Td>
    </Table.Tr>
  );
}
