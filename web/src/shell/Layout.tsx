/** Sidebar and page; on a phone the sidebar is a panel behind a button. */
import { AppShell, Burger, Group } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useEffect } from "react";
import { Outlet, useLocation } from "react-router";

import { Brand } from "./Brand";
import { Sidebar } from "./Sidebar";
import { useShortcuts } from "./shortcuts";
import classes from "./Layout.module.css";

export function Layout() {
  const [opened, { toggle, close }] = useDisclosure(false);
  const { pathname } = useLocation();

  useShortcuts();
  useEffect(() => close(), [pathname, close]);

  return (
    <AppShell
      layout="alt"
      header={{ height: { base: 54, sm: 0 } }}
      navbar={{ width: 268, breakpoint: "sm", collapsed: { mobile: !opened } }}
      withBorder={false}
    >
      <AppShell.Header hiddenFrom="sm" className={classes.header}>
        <Group h="100%" px="sm" gap="sm">
          <Burger
            opened={opened}
            onClick={toggle}
            size="sm"
            aria-label={opened ? "Close the navigation" : "Open the navigation"}
            aria-expanded={opened}
          />
          <Brand />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar} zIndex={110} data-opened={opened || undefined}>
        <Sidebar onClose={close} />
      </AppShell.Navbar>
      <AppShell.Main className={classes.main} id="main">
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}
