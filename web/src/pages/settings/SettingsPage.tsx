/** How programs reach this server: its address, examples, the keys that open it; what it is. */
import { useSession } from "../../api/session";
import { Page } from "../../components/Page";
import { AboutSection } from "./AboutSection";
import { ApiSection } from "./ApiSection";
import { KeysSection } from "./KeysSection";
import classes from "./SettingsPage.module.css";

export default function SettingsPage() {
  const { data: session } = useSession();
  return (
    <Page title="Settings" description="How programs reach this server, and the keys that let them in.">
      <div className={classes.sections}>
        <ApiSection />
        {session?.role === "admin" && <KeysSection />}
        <AboutSection />
      </div>
    </Page>
  );
}
