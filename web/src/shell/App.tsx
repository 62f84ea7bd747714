/** Signed out: the door. Signed in: the console. */
import { Center } from "@mantine/core";
import { RouterProvider } from "react-router";

import { useSession } from "../api/session";
import { ErrorState } from "../components/ErrorState";
import { Splash } from "../components/Splash";
import { router } from "./router";
import { SignInPage } from "./SignInPage";

export function App() {
  const session = useSession();
  if (session.isError) {
    return (
      <Center mih="100dvh">
        <ErrorState
          title="Headstart does not answer"
          error={session.error}
          retry={() => void session.refetch()}
        />
      </Center>
    );
  }
  if (session.isPending) {
    return <Splash />;
  }
  return session.data === null ? <SignInPage /> : <RouterProvider router={router} />;
}
