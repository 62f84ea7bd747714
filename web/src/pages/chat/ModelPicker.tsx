/** Which model or app answers: apps first, then the bare models. */
import { Button, Menu, Text } from "@mantine/core";
import { IconCheck, IconChevronDown } from "@tabler/icons-react";

import type { Model } from "../../api/types";
import { Status } from "../../components/Status";
import classes from "./ModelPicker.module.css";
import { toneOf } from "./models";

interface ModelPickerProps {
  models: Model[];
  value: Model | null;
  onChange: (id: string) => void;
}

const GROUPS = [
  { kind: "app", label: "Apps", hint: "with instructions and documents" },
  { kind: "endpoint", label: "Models", hint: "as they are" },
] as const;

export function ModelPicker({ models, value, onChange }: ModelPickerProps) {
  return (
    <Menu position="bottom-start" width={320} offset={4}>
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          className={classes.target}
          rightSection={<IconChevronDown size={15} aria-hidden />}
          aria-label={`Model: ${value?.id ?? "none"}. Choose another`}
        >
          <span className={classes.name}>{value?.id ?? "No model"}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={classes.dropdown}>
        {GROUPS.map(({ kind, label, hint }) => {
          const members = models.filter(({ headstart }) => headstart.kind === kind);
          if (members.length === 0) return null;
          return (
            <div key={kind}>
              <Menu.Label>
                {label} <span className={classes.hint}>{hint}</span>
              </Menu.Label>
              {members.map((model) => (
                <Menu.Item
                  key={model.id}
                  onClick={() => onChange(model.id)}
                  aria-current={model.id === value?.id || undefined}
                  rightSection={model.id === value?.id && <IconCheck size={16} aria-hidden />}
                >
                  <Option model={model} />
                </Menu.Item>
              ))}
            </div>
          );
        })}
        {models.length === 0 && <Menu.Label>No chat model is deployed</Menu.Label>}
      </Menu.Dropdown>
    </Menu>
  );
}

function Option({ model: { id, headstart } }: { model: Model }) {
  return (
    <div className={classes.option}>
      <Status tone={toneOf(headstart.status)} title={headstart.status} />
      <div className={classes.words}>
        <Text size="sm" fw={500} truncate>
          {id}
        </Text>
        {headstart.description && (
          <Text size="xs" c="dimmed" lineClamp={2}>
            {headstart.description}
          </Text>
        )}
      </div>
    </div>
  );
}
