/** The address of the API, and the first call in Python or on the command line. */
import { SegmentedControl, Text, Title } from "@mantine/core";
import { useState } from "react";

import { CopyButton } from "../../components/CopyButton";
import { Markdown } from "../../components/Markdown";
import { pick, useChatModels } from "../chat/models";
import classes from "./SettingsPage.module.css";
import { curl, python } from "./snippets";

const LANGUAGES = [
  { value: "python", label: "Python" },
  { value: "curl", label: "curl" },
];

export function ApiSection() {
  const [language, setLanguage] = useState("python");
  const models = useChatModels();
  const model = pick(models.data ?? [], null)?.id ?? "MODEL";
  const url = `${location.origin}/v1`;
  const snippet = language === "python" ? python(url, model) : curl(url, model);
  return (
    <section aria-labelledby="api">
      <div className={classes.head}>
        <div>
          <Title order={2} id="api">
            API
          </Title>
          <Text size="sm" c="dimmed" mt={4}>
            Whatever speaks to OpenAI speaks to this server: give it this base URL and a key.
          </Text>
        </div>
        <SegmentedControl
          aria-label="Language of the example"
          size="sm"
          data={LANGUAGES}
          value={language}
          onChange={setLanguage}
        />
      </div>
      <div className={classes.url}>
        <code>{url}</code>
        <CopyButton text={url} label="Copy the base URL" size="lg" />
      </div>
      <Markdown text={snippet} />
    </section>
  );
}
