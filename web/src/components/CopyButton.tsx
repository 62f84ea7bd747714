/** Copies a text and says so. Falls back to a selection where the clipboard API is refused. */
import { ActionIcon, Tooltip, type ActionIconProps } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";

interface CopyButtonProps extends ActionIconProps {
  text: string;
  label?: string;
}

export function CopyButton({ text, label = "Copy", ...props }: CopyButtonProps) {
  const clipboard = useClipboard({ timeout: 1600 });
  const said = clipboard.copied ? "Copied" : label;
  return (
    <Tooltip label={said}>
      <ActionIcon aria-label={said} onClick={() => clipboard.copy(text)} {...props}>
        {clipboard.copied ? (
          <IconCheck size={16} aria-hidden />
        ) : (
          <IconCopy size={16} aria-hidden />
        )}
      </ActionIcon>
    </Tooltip>
  );
}
