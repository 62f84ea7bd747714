/** The door: paste an API key. The one-time link of `headstart up` passes without it. */
import { Alert, Button, Center, Code, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useState, type FormEvent } from "react";

import { messageOf } from "../api/errors";
import { useSignIn } from "../api/session";
import { Mark } from "./Brand";
import classes from "./SignInPage.module.css";

/** A link signs in once; the server says by the address that this one did before. */
function isLinkSpent(): boolean {
  return new URLSearchParams(location.search).get("link") === "spent";
}

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
          {isLinkSpent() && (
            <Alert color="yellow" variant="light" radius="md">
              This sign-in link was used already or is too old. Print a new one with{" "}
              <Code className={classes.command}>headstart key link</Code>, or use an API key.
            </Alert>
          )}
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
