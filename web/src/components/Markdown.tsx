/**
 * Markdown that a model or a document wrote: untrusted, and possibly half written.
 *
 * No HTML passes, images are shown as links (fetching one would tell its host what was asked), and
 * links open elsewhere. `citation` draws the `[n]` marks; `mark` highlights quotes.
 */
import { createContext, memo, use, type ComponentProps, type ReactNode } from "react";
import ReactMarkdown, { type Components, type ExtraProps, type Options } from "react-markdown";
import rehypeHighlight from "rehype-highlight";
import remarkGfm from "remark-gfm";

import { CodeBlock } from "./CodeBlock";
import classes from "./Markdown.module.css";
import { remarkCitations } from "./citations";
import { languages } from "./languages";
import { rehypeMark } from "./mark";

interface MarkdownProps {
  text: string;
  /** Draws the mark `[n]` that begins at an offset; without it the mark stays text. */
  citation?: DrawCitation;
  /** Quotes to highlight, with or without their Markdown. */
  mark?: string[];
  className?: string;
}

type DrawCitation = (number: number, offset: number) => ReactNode;

// The drawing reaches the marks by context, so that they stay mounted while the text grows.
const Citations = createContext<DrawCitation | null>(null);

const COMPONENTS: Components = {
  a: Link,
  img: ({ src, alt }) => <Link href={typeof src === "string" ? src : undefined}>{alt || src}</Link>,
  pre: CodeBlock,
  table: Table,
  sup: Mark,
};

export const Markdown = memo(function Markdown(props: MarkdownProps) {
  const { text, citation = null, mark, className = "" } = props;
  const remark: Options["remarkPlugins"] = citation ? [remarkGfm, remarkCitations] : [remarkGfm];
  const rehype: Options["rehypePlugins"] = [[rehypeHighlight, { languages, detect: false }]];
  if (mark !== undefined) rehype.push([rehypeMark, { quotes: mark }]);
  return (
    <div className={`${classes.markdown} ${className}`}>
      <Citations value={citation}>
        <ReactMarkdown remarkPlugins={remark} rehypePlugins={rehype} components={COMPONENTS}>
          {text}
        </ReactMarkdown>
      </Citations>
    </div>
  );
});

function Link({ href, children }: ComponentProps<"a">) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function Table({ children }: ComponentProps<"table">) {
  return (
    <div className={classes.scroll} role="region" aria-label="Table">
      <table>{children}</table>
    </div>
  );
}

function Mark({ node, children }: ComponentProps<"sup"> & ExtraProps) {
  const draw = use(Citations);
  const number = Number(node?.properties.dataCitation);
  const offset = Number(node?.properties.dataOffset);
  return draw && number > 0 ? draw(number, offset) : <sup>{children}</sup>;
}
