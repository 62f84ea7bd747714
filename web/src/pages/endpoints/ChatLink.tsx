/** Leads to a new chat with one model. */
import { Button, type ButtonProps } from "@mantine/core";
import { IconMessageCircle } from "@tabler/icons-react";
import { Link } from "react-router";

import { useParameters } from "../chat/parameters";

export function ChatLink({ name, ...props }: ButtonProps & { name: string }) {
  const [, setParameters] = useParameters();
  return (
    <Button
      component={Link}
      to="/"
      leftSection={<IconMessageCircle size={16} stroke={1.6} aria-hidden />}
      aria-label={`Chat with ${name}`}
      onClick={() => setParameters({ model: name })}
      {...props}
    >
      Chat
    </Button>
  );
}
