/** How the model shall answer. Everything is optional: what is left empty, the model decides. */
import {
  Button,
  Drawer,
  Group,
  NumberInput,
  Slider,
  Stack,
  TagsInput,
  Text,
  Textarea,
} from "@mantine/core";

import { changed, DEFAULTS, type Parameters } from "./parameters";

interface ParametersDrawerProps {
  opened: boolean;
  parameters: Parameters;
  onChange: (change: Partial<Parameters>) => void;
  onClose: () => void;
}

export function ParametersDrawer(props: ParametersDrawerProps) {
  const { opened, parameters, onChange, onClose } = props;
  const { model: _, ...defaults } = DEFAULTS;
  return (
    <Drawer opened={opened} onClose={onClose} title="Parameters" size={380}>
      <Stack gap="xl">
        <Text size="sm" c="dimmed">
          These apply to all of your chats in this browser. What is not set is left to the model.
        </Text>
        <Textarea
          label="System message"
          description="Said to the model before the conversation"
          placeholder="You are a careful editor…"
          autosize
          minRows={3}
          maxRows={12}
          value={parameters.system}
          onChange={(event) => onChange({ system: event.currentTarget.value })}
        />
        <Dial
          label="Temperature"
          description="Low is predictable, high is varied"
          max={2}
          value={parameters.temperature}
          onChange={(temperature) => onChange({ temperature })}
        />
        <Dial
          label="Top p"
          description="Share of the likeliest words that may be chosen"
          min={0.05}
          max={1}
          value={parameters.topP}
          onChange={(topP) => onChange({ topP })}
        />
        <NumberInput
          label="Max tokens"
          description="The answer ends here at the latest"
          placeholder="As long as it takes"
          min={1}
          allowDecimal={false}
          value={parameters.maxTokens ?? ""}
          onChange={(value) => onChange({ maxTokens: value === "" ? null : Number(value) })}
        />
        <NumberInput
          label="Seed"
          description="The same seed repeats the same answer"
          placeholder="Random"
          allowDecimal={false}
          value={parameters.seed ?? ""}
          onChange={(value) => onChange({ seed: value === "" ? null : Number(value) })}
        />
        <TagsInput
          label="Stop"
          description="The answer ends before any of these texts; up to four"
          placeholder={parameters.stop.length === 0 ? "Type a text and press Enter" : undefined}
          maxTags={4}
          value={parameters.stop}
          onChange={(stop) => onChange({ stop })}
        />
        <Button
          variant="default"
          disabled={changed(parameters) === 0}
          onClick={() => onChange(defaults)}
        >
          Leave all to the model
        </Button>
      </Stack>
    </Drawer>
  );
}

interface DialProps {
  label: string;
  description: string;
  min?: number;
  max: number;
  value: number | null;
  onChange: (value: number | null) => void;
}

function Dial({ label, description, min = 0, max, value, onChange }: DialProps) {
  return (
    <div>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div>
          <Text size="sm" fw={500}>
            {label}
          </Text>
          <Text size="xs" c="dimmed">
            {description}
          </Text>
        </div>
        {value === null ? (
          <Text size="sm" c="dimmed">
            Auto
          </Text>
        ) : (
          <Button
            variant="subtle"
            color="gray"
            size="compact-xs"
            onClick={() => onChange(null)}
            aria-label={`${label}: leave it to the model`}
          >
            {value.toFixed(2)} ×
          </Button>
        )}
      </Group>
      <Slider
        mt="sm"
        size="sm"
        thumbLabel={label}
        min={min}
        max={max}
        step={0.05}
        label={null}
        value={value ?? max / 2}
        onChange={onChange}
        styles={value === null ? { bar: { opacity: 0 }, thumb: { opacity: 0.45 } } : undefined}
      />
    </div>
  );
}
