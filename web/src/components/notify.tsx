/** Short messages at the corner of the page. */
import { notifications } from "@mantine/notifications";

import { messageOf } from "../api/errors";

export function notifyError(error: unknown, title?: string): void {
  notifications.show({ color: "red", title, message: messageOf(error), autoClose: 8000 });
}

export function notifyDone(message: string): void {
  notifications.show({ color: "pine", message, autoClose: 3000 });
}
