/** A block of code with its language and a copy button. */
import type { Element, ElementContent } from "hast";
import type { ComponentProps } from "react";
import type { ExtraProps } from "react-markdown";

import classes from "./Markdown.module.css";
import { CopyButton } from "./CopyButton";

export function CodeBlock({ node, children }: ComponentProps<"pre"> & ExtraProps) {
  const code = node?.children.find((child): child is Element => child.type === "element");
  return (
    <figure className={classes.code}>
      <figcaption className={classes.caption}>
        <span>{languageOf(code)}</span>
        <CopyButton text={code ? textOf(code).replace(/\n$/, "") : ""} label="Copy code" size="sm" />
      </figcaption>
      <pre>{children}</pre>
    </figure>
  );
}

function languageOf(code: Element | undefined): string {
  const names = code?.properties.className;
  const name = Array.isArray(names)
    ? names.find((one) => String(one).startsWith("language-"))
    : undefined;
  return name === undefined ? "text" : String(name).slice("language-".length);
}

function textOf(node: ElementContent): string {
  if (node.type === "text") return node.value;
  return node.type === "element" ? node.children.map(textOf).join("") : "";
}
