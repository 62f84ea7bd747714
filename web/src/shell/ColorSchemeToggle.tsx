/** Light, dark, or as the system has it. */
import { ActionIcon, Tooltip, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { IconDeviceDesktop, IconMoon, IconSun, type Icon } from "@tabler/icons-react";

const NEXT: Record<MantineColorScheme, { to: MantineColorScheme; icon: Icon; name: string }> = {
  auto: { to: "light", icon: IconDeviceDesktop, name: "as the system" },
  light: { to: "dark", icon: IconSun, name: "light" },
  dark: { to: "auto", icon: IconMoon, name: "dark" },
};

export function ColorSchemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { to, icon: Glyph, name } = NEXT[colorScheme];
  const label = `Colours: ${name}. Switch to ${NEXT[to].name}`;
  return (
    <Tooltip label={label}>
      <ActionIcon size="lg" aria-label={label} onClick={() => setColorScheme(to)}>
        <Glyph size={18} stroke={1.6} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}
