/** Asks for the name of a new store, creates it and goes there. */
import { Button, Group, Modal, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useNavigate } from "react-router";

import { api, call } from "../../api/client";
import { messageOf } from "../../api/errors";
import { refreshStores } from "./stores";

interface NewStoreProps {
  opened: boolean;
  onClose: () => void;
}

export function NewStore({ opened, onClose }: NewStoreProps) {
  return (
    <Modal opened={opened} onClose={onClose} title="New store" size="sm">
      <NewStoreForm onClose={onClose} />
    </Modal>
  );
}

function NewStoreForm({ onClose }: Pick<NewStoreProps, "onClose">) {
  const [name, setName] = useState("");
  const navigate = useNavigate();
  const create = useMutation({
    mutationFn: () => call(api.POST("/v1/vector_stores", { body: { name: name.trim(), file_ids: [] } })),
    onSuccess: (store) => {
      void refreshStores();
      void navigate(`/knowledge/${store.id}`);
    },
  });

  function submit(event: FormEvent) {
    event.preventDefault();
    create.mutate();
  }

  return (
    <form onSubmit={submit}>
      <TextInput
        label="Name"
        description="What the documents are about, such as handbook or contracts"
        maxLength={256}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {create.isError && (
        <Text size="sm" c="red" mt="sm" role="alert">
          {messageOf(create.error)}
        </Text>
      )}
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={create.isPending} disabled={name.trim() === ""}>
          Create
        </Button>
      </Group>
    </form>
  );
}
