/** Groups conversations under "Today", "Yesterday", … in the order they come in. */
import type { Conversation } from "../../api/types";

const DAY = 86_400_000;

export interface AgeGroup {
  label: string;
  conversations: Conversation[];
}

export function byAge(conversations: Conversation[], now: Date = new Date()): AgeGroup[] {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const groups: AgeGroup[] = [];
  for (const conversation of conversations) {
    const label = labelOf(conversation.updated_at * 1000, midnight);
    const last = groups.at(-1);
    if (last?.label === label) last.conversations.push(conversation);
    else groups.push({ label, conversations: [conversation] });
  }
  return groups;
}

function labelOf(time: number, midnight: number): string {
  if (time >= midnight) return "Today";
  if (time >= midnight - DAY) return "Yesterday";
  if (time >= midnight - 7 * DAY) return "Last seven days";
  if (time >= midnight - 30 * DAY) return "Last thirty days";
  return "Older";
}
