/** Makes an API key and shows its secret, this once. */
import { Button, Group, Modal, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { api, call } from "../../api/client";
import { messageOf } from "../../api/errors";
import type { ApiKey } from "../../api/types";
import { CopyButton } from "../../components/CopyButton";
import { refreshKeys } from "./keys";
import classes from "./SettingsPage.module.css";

interface NewKeyProps {
  opened: boolean;
  onClose: () => void;
}

const DAY_S = 86_400;
const NEVER = "never";
const EXPIRIES = [
  { value: NEVER, label: "Never" },
  { value: String(7 * DAY_S), label: "In 7 days" },
  { value: String(30 * DAY_S), label: "In 30 days" },
  { value: String(90 * DAY_S), label: "In 90 days" },
  { value: String(365 * DAY_S), label: "In a year" },
];

const ROLES = [
  { value: "member", label: "Member", hint: "Uses models, documents and apps" },
  { value: "admin", label: "Admin", hint: "May do everything, deploying and keys included" },
] as const;

type Role = (typeof ROLES)[number]["value"];

export function NewKey({ opened, onClose }: NewKeyProps) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="New key"
      closeOnClickOutside={false}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Steps onClose={onClose} />
    </Modal>
  );
}

function Steps({ onClose }: Pick<NewKeyProps, "onClose">) {
  const [made, setMade] = useState<ApiKey | null>(null);
  if (made !== null) return <Secret made={made} onClose={onClose} />;
  return <NewKeyForm onMade={setMade} onClose={onClose} />;
}

interface NewKeyFormProps {
  onMade: (key: ApiKey) => void;
  onClose: () => void;
}

function NewKeyForm({ onMade, onClose }: NewKeyFormProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("member");
  const [expiry, setExpiry] = useState(NEVER);
  const create = useMutation({
    mutationFn: () =>
      call(
        api.POST("/v1/organization/admin_api_keys", {
          body: {
            name: name.trim(),
            role,
            expires_in_seconds: expiry === NEVER ? null : Number(expiry),
          },
        }),
      ),
    gcTime: 0, // the secret is not kept
    onSuccess: (key) => {
      void refreshKeys();
      onMade(key);
    },
  });

  function submit(event: FormEvent) {
    event.preventDefault();
    create.mutate();
  }

  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput
          label="Name"
          description="What or who it is for"
          maxLength={200}
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <div>
          <Text size="sm" fw={500} mb={6} id="role">
            Role
          </Text>
          <SegmentedControl
            fullWidth
            aria-labelledby="role"
            data={ROLES.map(({ value, label }) => ({ value, label }))}
            value={role}
            onChange={setRole}
          />
          <Text size="xs" c="dimmed" mt={6}>
            {ROLES.find(({ value }) => value === role)?.hint}
          </Text>
        </div>
        <Select
          label="Expires"
          data={EXPIRIES}
          allowDeselect={false}
          value={expiry}
          onChange={(value) => setExpiry(value ?? NEVER)}
        />
        {create.isError && (
          <Text size="sm" c="red" role="alert">
            {messageOf(create.error)}
          </Text>
        )}
      </Stack>
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

function Secret({ made, onClose }: { made: ApiKey; onClose: () => void }) {
  const secret = made.value ?? "";
  return (
    <Stack gap="md">
      <Text size="sm" c="dimmed">
        Copy the key of <b>{made.name}</b> now. Only its hash is stored, so it cannot be shown again.
      </Text>
      <div className={classes.secret}>
        <code data-testid="secret">{secret}</code>
        <CopyButton text={secret} label="Copy the key" size="lg" />
      </div>
      <Group justify="flex-end">
        <Button onClick={onClose}>Done</Button>
      </Group>
    </Stack>
  );
}
