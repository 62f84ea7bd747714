/** The door: paste an API key. The one-time link of `headstart up` passes without it. */
import { Button, Center, Code, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useState, type FormEvent } from "react";

import { messageOf } from "../api/errors";
import { useSignIn } from "../api/session";
import { Mark } from "./Brand";
import classes from "./SignInPage.module.css";

export function SignInPage() {
  useDocumentTitle("Sign in · Headstart");
  const [key, setKey] = useState("");
  const signIn = useSignIn();

  function submit(event: FormEvent) {
    event.preventDefault();
    if (key.trim() !== "") signIn.mutate(key.trim());
  }

  return (
    <Center className={classes.page} component="main">
      <form onSubmit={submit} className={`${classes.form} rise`}>
        <Stack gap="lg">
          <Mark size={40} />
          <div>
            <Title order={1}>Sign in to Headstart</Title>
            <Text c="dimmed" mt={8}>
              Your assistant runs on this machine. An API key opens it.
            </Text>
          </div>
          <PasswordInput
            label="API key"
            placeholder="hs-…"
            size="md"
            value={key}
            onChange={(event) => {
              setKey(event.currentTarget.value);
              signIn.reset();
            }}
            error={signIn.isError ? messageOf(signIn.error) : undefined}
            autoComplete="current-password"
            spellCheck={false}
            data-autofocus
            autoFocus
          />
          <Button type="submit" size="md" loading={signIn.isPending} disabled={key.trim() === ""}>
            Sign in
          </Button>
          <Text size="sm" c="dimmed">
            <Code>headstart up</Code> prints a link that signs you in, once;{" "}
            <Code className={classes.command}>headstart key link</Code> prints another.
          </Text>
        </Stack>
      </form>
    </Center>
  );
}
