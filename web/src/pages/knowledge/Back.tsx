/** The way from one store to all of them. */
import { Anchor } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { Link } from "react-router";

export function Back() {
  return (
    <Anchor component={Link} to="/knowledge" c="dimmed" size="sm" display="inline-flex" mb="sm">
      <IconArrowLeft size={16} stroke={1.6} aria-hidden style={{ marginRight: 6, marginTop: 2 }} />
      Knowledge
    </Anchor>
  );
}
