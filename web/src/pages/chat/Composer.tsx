/** Where one writes. Enter sends, Shift+Enter breaks the line, ↑ takes up the last message. */
import { ActionIcon, Textarea, Tooltip } from "@mantine/core";
import { IconArrowUp, IconPlayerStopFilled } from "@tabler/icons-react";
import { useEffect, useRef, type KeyboardEvent } from "react";

import classes from "./Composer.module.css";

interface ComposerProps {
  value: string;
  onChange: (value: string) => void;
  /** The person's last message, to be taken up again. */
  last: string | null;
  placeholder: string;
  writing: boolean;
  disabled: boolean;
  onSend: () => void;
  onStop: () => void;
}

export function Composer(props: ComposerProps) {
  const { value, onChange, last, placeholder, writing, disabled, onSend, onStop } = props;
  const field = useRef<HTMLTextAreaElement>(null);
  const empty = value.trim() === "";

  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key === "Escape" && writing && !isSomethingOpen()) onStop();
      if (event.key === "/" && !isTyping(event.target)) {
        event.preventDefault();
        field.current?.focus();
      }
    };
    addEventListener("keydown", onKey, true); // before a tooltip takes the Escape for itself
    return () => removeEventListener("keydown", onKey, true);
  }, [writing, onStop]);

  function onKeyDown(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return; // Enter chooses a word of an input method
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (!empty && !writing && !disabled) onSend();
    }
    if (event.key === "ArrowUp" && value === "" && last !== null) {
      event.preventDefault();
      onChange(last);
    }
  }

  return (
    <form
      className={classes.composer}
      onSubmit={(event) => {
        event.preventDefault();
        onSend();
      }}
    >
      <Textarea
        ref={field}
        className={classes.field}
        classNames={{ input: classes.input }}
        variant="unstyled"
        autosize
        minRows={1}
        maxRows={10}
        aria-label="Message"
        placeholder={placeholder}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        data-composer
        autoFocus={matchMedia("(hover: hover)").matches}
      />
      {writing ? (
        <Tooltip label="Stop (Esc)">
          <ActionIcon
            size={36}
            radius="xl"
            variant="filled"
            color="dark"
            aria-label="Stop"
            onClick={onStop}
          >
            <IconPlayerStopFilled size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      ) : (
        <Tooltip label="Send (Enter)" disabled={empty}>
          <ActionIcon
            type="submit"
            size={36}
            radius="xl"
            variant="filled"
            color="pine"
            aria-label="Send"
            disabled={empty || disabled}
          >
            <IconArrowUp size={19} stroke={2.2} aria-hidden />
          </ActionIcon>
        </Tooltip>
      )}
    </form>
  );
}

/** A menu or drawer, which Escape closes first. */
function isSomethingOpen(): boolean {
  return document.querySelector('[role="dialog"], [role="menu"]') !== null;
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
