/** Everything the card of one model says: its variants, what each takes, where it comes from. */
import { Anchor, Badge, Drawer, Group, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconExternalLink } from "@tabler/icons-react";

import type { Endpoint, HubModel } from "../../api/types";
import { CopyButton } from "../../components/CopyButton";
import { Status } from "../../components/Status";
import { bytes, count, short } from "../../format";
import { engineOf, stateOf } from "../endpoints/endpoints";
import { PullProgress } from "../endpoints/PullProgress";
import { languageOf, originOf, taskOf, type Source, type Variant } from "./hub";
import { DeployOrChat } from "./ModelCard";
import classes from "./ModelDrawer.module.css";

interface Shown {
  model: HubModel;
  endpoint?: Endpoint;
  onDeploy?: () => void;
}

interface ModelDrawerProps {
  /** Absent: closed. */
  shown?: Shown;
  onClose: () => void;
}

export function ModelDrawer({ shown, onClose }: ModelDrawerProps) {
  return (
    <Drawer
      opened={shown !== undefined}
      onClose={onClose}
      size={560}
      title={shown?.model.title ?? ""}
      classNames={{
        title: classes.title,
        content: classes.drawer,
        header: classes.header,
        body: classes.body,
      }}
      closeButtonProps={{ "aria-label": "Close the model" }}
    >
      {shown && <Detail {...shown} onClose={onClose} />}
    </Drawer>
  );
}

function Detail({ model, endpoint, onDeploy, onClose }: Shown & { onClose: () => void }) {
  const { description, family, fit, homepage, name, variants, installed_variant: here } = model;
  const Glyph = fit.fits ? IconCircleCheck : IconAlertTriangle;

  function deploy() {
    onClose();
    onDeploy?.();
  }

  return (
    <>
      <div className={classes.content}>
        <Text size="sm" c="dimmed">
          {family} · {taskOf(model)}
        </Text>
        <Text mt={6}>{description}</Text>
        <div className={classes.fit} data-fits={fit.fits || undefined}>
          <Glyph size={17} stroke={1.8} aria-hidden />
          {fit.text}
        </div>
        <Facts model={model} />
        <section aria-label="Variants">
          <Title order={3} mb="sm">
            {variants.length === 1 ? "Weights" : "Variants"}
          </Title>
          {variants.map((variant, index) => (
            <VariantCard
              key={variant.name}
              variant={variant}
              mark={variant.name === here ? "Installed" : index === 0 ? "Default" : undefined}
            />
          ))}
        </section>
        <Group gap={4} className={classes.links}>
          <Anchor href={homepage} target="_blank" rel="noreferrer" size="sm">
            Home of the model
            <IconExternalLink size={14} stroke={1.6} aria-hidden className={classes.out} />
          </Anchor>
          <span className={classes.name}>
            <code>{name}</code>
            <CopyButton text={name} label="Copy the name" size="md" />
          </span>
        </Group>
      </div>
      <div className={classes.foot}>
        {endpoint && <PullProgress endpoint={endpoint} />}
        <Group justify="space-between">
          {endpoint ? <Status {...stateOf(endpoint)} /> : <span />}
          <DeployOrChat
            model={model}
            endpoint={endpoint}
            prominent
            onDeploy={onDeploy && deploy}
          />
        </Group>
      </div>
    </>
  );
}

function Facts({ model }: { model: HubModel }) {
  const facts: [string, string][] = [
    ["Parameters", short(model.parameters)],
    ["Context", count(model.context_length, "token")],
    ["Licence", model.license.replaceAll("-", " ")],
    ["Fine-tuning", model.fine_tunable ? "Possible here" : "Not here"],
  ];
  if (model.architecture != null) facts.push(["Architecture", model.architecture]);
  if (model.dimensions != null) facts.push(["Dimensions", count(model.dimensions)]);
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      <div className={classes.wide}>
        <dt>{count(model.languages.length, "language")}</dt>
        <dd>{model.languages.map(languageOf).join(", ")}</dd>
      </div>
    </dl>
  );
}

function VariantCard({ variant, mark }: { variant: Variant; mark?: string }) {
  const { name, format, bytes: size, stored_bytes: stored, memory = {}, sha256, sources } = variant;
  return (
    <article className={classes.variant} aria-label={name}>
      <Group gap={10} mb={10}>
        <Text fw={550}>{name}</Text>
        {mark && (
          <Badge
            variant="light"
            color={mark === "Installed" ? "pine" : "gray"}
            tt="none"
            fw={500}
            lts={0}
          >
            {mark}
          </Badge>
        )}
      </Group>
      <dl className={classes.numbers}>
        <Row name="Format" value={format.toUpperCase()} />
        <Row name="Download" value={bytes(size)} />
        {stored != null && stored !== size && <Row name="On disk" value={bytes(stored)} />}
        {Object.entries(memory).map(([engine, needed]) => (
          <Row key={engine} name={`Memory with ${engineOf(engine)}`} value={bytes(needed)} />
        ))}
        {sha256 != null && (
          <div>
            <dt>SHA-256</dt>
            <dd className={classes.hash}>
              <code title={sha256}>{sha256.slice(0, 16)}…</code>
              <CopyButton text={sha256} label="Copy the SHA-256" size="sm" />
            </dd>
          </div>
        )}
      </dl>
      <Text size="xs" c="dimmed" mt={14} mb={6}>
        {sources.length > 1 ? "Comes from the first of these that answers" : "Comes from"}
      </Text>
      <ol className={classes.sources}>
        {sources.map((source, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- sources have no other name
          <Origin key={index} source={source} />
        ))}
      </ol>
    </article>
  );
}

function Row({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Origin({ source }: { source: Source }) {
  const { kind, what, href } = originOf(source);
  return (
    <li>
      <span>{kind}</span>
      {what.map((one) =>
        href === undefined ? (
          <code key={one}>{one}</code>
        ) : (
          <a key={one} href={href} target="_blank" rel="noreferrer">
            {one}
          </a>
        ),
      )}
    </li>
  );
}
