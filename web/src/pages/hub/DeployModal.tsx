/** Asks how a model shall be deployed, deploys it, and shows how far it is. */
import { Alert, Button, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { api, call } from "../../api/client";
import { messageOf } from "../../api/errors";
import type { Endpoint, HubModel } from "../../api/types";
import { Status } from "../../components/Status";
import { ChatLink } from "../endpoints/ChatLink";
import { canChat, endpointsQuery, isBusy, refreshEndpoints, stateOf } from "../endpoints/endpoints";
import { PullProgress } from "../endpoints/PullProgress";
import { enginesOf, sizeOf, variantsOf } from "./hub";

interface DeployModalProps {
  /** What is to be deployed; null: closed. */
  model: HubModel | null;
  onClose: () => void;
}

const NEVER = "never";
const TIMEOUTS = [
  { value: NEVER, label: "Never" },
  { value: "300", label: "After 5 minutes" },
  { value: "1800", label: "After 30 minutes" },
  { value: "7200", label: "After 2 hours" },
  { value: "86400", label: "After a day" },
];

export function DeployModal({ model, onClose }: DeployModalProps) {
  return (
    <Modal
      opened={model !== null}
      onClose={onClose}
      title={`Deploy ${model?.title ?? ""}`}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {model && <Deployment key={model.id} model={model} onClose={onClose} />}
    </Modal>
  );
}

function Deployment({ model, onClose }: { model: HubModel; onClose: () => void }) {
  const [deployed, setDeployed] = useState<Endpoint | null>(null);
  if (deployed !== null) return <Deployed first={deployed} onClose={onClose} />;
  return <DeployForm model={model} onDeployed={setDeployed} onClose={onClose} />;
}

interface DeployFormProps {
  model: HubModel;
  onDeployed: (endpoint: Endpoint) => void;
  onClose: () => void;
}

function DeployForm({ model, onDeployed, onClose }: DeployFormProps) {
  const [name, setName] = useState(model.name);
  const [variant, setVariant] = useState<string | null>(null);
  const [engine, setEngine] = useState("auto");
  const [idle, setIdle] = useState(NEVER);
  const { fits, text } = model.fit;
  const deploy = useMutation({
    mutationFn: () =>
      call(
        api.POST("/v1/endpoints", {
          body: {
            model: model.name,
            name: name.trim(),
            engine,
            idle_timeout: idle === NEVER ? null : Number(idle),
            options: { ...(variant !== null && { variant }), ...(!fits && { force: true }) },
          },
        }),
      ),
    onSuccess: (endpoint) => {
      void refreshEndpoints();
      onDeployed(endpoint);
    },
  });

  function submit(event: FormEvent) {
    event.preventDefault();
    deploy.mutate();
  }

  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {fits ? (
          <Text size="sm" c="dimmed">
            {model.installed ? "It is on this machine already." : `Downloads ${sizeOf(model)}.`} {text}
          </Text>
        ) : (
          <Alert color="yellow" icon={<IconAlertTriangle size={18} aria-hidden />}>
            {text} It may be slow, or fail to start.
          </Alert>
        )}
        <TextInput
          label="Name"
          description="The model name in chat and in API calls"
          required
          withAsterisk={false}
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {model.variants.length > 1 && (
          <Select
            label="Variant"
            description="Smaller ones are faster, larger ones more exact"
            data={variantsOf(model)}
            allowDeselect={false}
            value={variant ?? model.installed_variant ?? model.variants[0]?.name}
            onChange={setVariant}
          />
        )}
        <Select
          label="Engine"
          description="Automatic takes the fastest that loads the model"
          data={enginesOf(model)}
          allowDeselect={false}
          value={engine}
          onChange={(value) => setEngine(value ?? "auto")}
        />
        <Select
          label="Stop when idle"
          description="Frees its memory; the next call starts it again"
          data={TIMEOUTS}
          allowDeselect={false}
          value={idle}
          onChange={(value) => setIdle(value ?? NEVER)}
        />
        {deploy.isError && (
          <Text size="sm" c="red" role="alert">
            {messageOf(deploy.error)}
          </Text>
        )}
      </Stack>
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={deploy.isPending} disabled={name.trim() === ""}>
          {fits ? "Deploy" : "Deploy anyway"}
        </Button>
      </Group>
    </form>
  );
}

function Deployed({ first, onClose }: { first: Endpoint; onClose: () => void }) {
  const { data } = useQuery(endpointsQuery);
  const endpoint = data?.data.find(({ id }) => id === first.id) ?? first;
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Text fw={500}>{endpoint.name}</Text>
        <span role="status">
          <Status {...stateOf(endpoint)} />
        </span>
      </Group>
      <PullProgress endpoint={endpoint} />
      {endpoint.error !== null && (
        <Text size="sm" c="red" role="alert">
          {endpoint.error}
        </Text>
      )}
      {isBusy(endpoint) && (
        <Text size="sm" c="dimmed">
          This goes on when the window is closed.
        </Text>
      )}
      <Group justify="flex-end" gap="xs" mt="xs">
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        {canChat(endpoint) && <ChatLink name={endpoint.name} />}
      </Group>
    </Stack>
  );
}
