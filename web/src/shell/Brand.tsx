/** The mark: two staggered lanes, the upper one ahead. */
import { Group, Text } from "@mantine/core";

export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden>
      <rect width="24" height="24" rx="6.5" fill="var(--mantine-color-pine-8)" />
      <path
        d="M10.2 8.6h7.3M6.5 15.4h7.3"
        stroke="#fff"
        strokeWidth="3.1"
        strokeLinecap="round"
      />
    </svg>
  );
}

export function Brand() {
  return (
    <Group gap={10} wrap="nowrap">
      <Mark />
      <Text fw={600} fz="1.0625rem" style={{ letterSpacing: "-0.02em" }}>
        Headstart
      </Text>
    </Group>
  );
}
