/** One model of the hub: what it is, what it takes, and whether it runs here. */
import { Badge, Button, Text, Title, Tooltip, UnstyledButton } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconCircleCheck } from "@tabler/icons-react";
import { Link } from "react-router";

import type { Endpoint, HubModel } from "../../api/types";
import { Status } from "../../components/Status";
import { ChatLink } from "../endpoints/ChatLink";
import { canChat, stateOf } from "../endpoints/endpoints";
import { PullProgress } from "../endpoints/PullProgress";
import { factsOf, languageOf, languagesOf, taskOf } from "./hub";
import classes from "./ModelCard.module.css";

interface ModelCardProps {
  model: HubModel;
  /** Where it is deployed already. */
  endpoint?: Endpoint;
  onOpen: () => void;
  /** Absent for those who may not. */
  onDeploy?: () => void;
}

export function ModelCard({ model, endpoint, onOpen, onDeploy }: ModelCardProps) {
  const { title, family, description, languages, installed } = model;
  return (
    <article className={classes.card} aria-label={title}>
      <div className={classes.head}>
        <Title order={3}>
          <UnstyledButton className={classes.open} onClick={onOpen}>
            {title}
          </UnstyledButton>
        </Title>
        {installed && (
          <Text component="span" className={classes.installed}>
            <IconCheck size={14} stroke={2} aria-hidden />
            Installed
          </Text>
        )}
      </div>
      <Text size="xs" c="dimmed">
        {family} · {taskOf(model)} ·{" "}
        <span title={languages.map(languageOf).join(", ")}>{languagesOf(model)}</span>
      </Text>
      <Text size="sm" className={classes.description} lineClamp={2}>
        {description}
      </Text>
      <dl className={classes.facts}>
        {factsOf(model).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {endpoint && <PullProgress endpoint={endpoint} />}
      <div className={classes.foot}>
        {endpoint ? <Status {...stateOf(endpoint)} /> : <Fit model={model} />}
        <DeployOrChat model={model} endpoint={endpoint} onDeploy={onDeploy} />
      </div>
    </article>
  );
}

interface DeployOrChatProps extends Omit<ModelCardProps, "onOpen"> {
  /** Where it is the main thing to do. */
  prominent?: boolean;
}

/** What can be done with the model next. */
export function DeployOrChat({ model, endpoint, prominent, onDeploy }: DeployOrChatProps) {
  const size = prominent ? "sm" : "xs";
  if (endpoint !== undefined) {
    if (canChat(endpoint)) {
      return (
        <ChatLink name={endpoint.name} size={size} variant={prominent ? "filled" : "light"} />
      );
    }
    return (
      <Button component={Link} to="/endpoints" size={size} variant="default">
        See the endpoint
      </Button>
    );
  }
  if (onDeploy === undefined || model.fit.engine === "") return null;
  return (
    <Button
      size={size}
      variant={prominent ? "filled" : "default"}
      aria-label={`Deploy ${model.title}`}
      onClick={onDeploy}
    >
      Deploy
    </Button>
  );
}

function Fit({ model: { fit } }: { model: HubModel }) {
  const Glyph = fit.fits ? IconCircleCheck : IconAlertTriangle;
  const label = fit.engine === "" ? "Not served here yet" : "Too large for this machine";
  return (
    <Tooltip label={fit.text} multiline maw={280} events={{ hover: true, focus: true, touch: true }}>
      <Badge
        className={classes.fit}
        component="button"
        type="button"
        variant="light"
        color={fit.fits ? "pine" : "gray"}
        size="lg"
        leftSection={<Glyph size={14} stroke={1.8} aria-hidden />}
      >
        {fit.fits ? "Fits this machine" : label}
      </Badge>
    </Tooltip>
  );
}
