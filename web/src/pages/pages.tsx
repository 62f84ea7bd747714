/**
 * The pages of the console, in the order of the navigation. A new page is one entry here.
 * Chat is the first and has no link of its own: a new chat and the conversations lead to it.
 */
import {
  IconBooks,
  IconListDetails,
  IconMessageCircle,
  IconPackages,
  IconServer2,
  IconSettings,
  type Icon,
} from "@tabler/icons-react";
import type { ComponentType } from "react";

export interface PageEntry {
  /** Absolute route; `paths` adds further ones that the same module serves (one record, …). */
  path: string;
  paths?: string[];
  label: string;
  icon: Icon;
  load: () => Promise<{ default: ComponentType }>;
}

export const pages: PageEntry[] = [
  {
    path: "/",
    paths: ["/chat/:conversationId"],
    label: "Chat",
    icon: IconMessageCircle,
    load: () => import("./chat/ChatPage"),
  },
  {
    path: "/hub",
    label: "Hub",
    icon: IconPackages,
    load: () => import("./hub/HubPage"),
  },
  {
    path: "/endpoints",
    label: "Endpoints",
    icon: IconServer2,
    load: () => import("./endpoints/EndpointsPage"),
  },
  {
    path: "/knowledge",
    paths: ["/knowledge/:storeId"],
    label: "Knowledge",
    icon: IconBooks,
    load: () => import("./knowledge/KnowledgePage"),
  },
  {
    path: "/records",
    paths: ["/records/:recordId"],
    label: "Records",
    icon: IconListDetails,
    load: () => import("./records/RecordsPage"),
  },
  {
    path: "/settings",
    label: "Settings",
    icon: IconSettings,
    load: () => import("./settings/SettingsPage"),
  },
];
