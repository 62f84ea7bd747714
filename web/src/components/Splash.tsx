/** What the window shows until there is anything to show. */
import { Center, Loader } from "@mantine/core";

export function Splash() {
  return (
    <Center mih="100dvh">
      <Loader size="sm" aria-label="Loading" />
    </Center>
  );
}
