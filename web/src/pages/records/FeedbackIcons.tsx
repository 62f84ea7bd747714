/** What people said about an answer, as small signs. */
import {
  IconArrowsDiff,
  IconMessage,
  IconPencilCheck,
  IconStar,
  IconThumbDown,
  IconThumbUp,
  type Icon,
  type IconProps,
} from "@tabler/icons-react";

import type { Feedback, Metric } from "../../api/types";
import { METRICS } from "./filters";
import classes from "./FeedbackIcons.module.css";

const ICONS: Record<Metric | "down", Icon> = {
  thumbs: IconThumbUp,
  down: IconThumbDown,
  rating: IconStar,
  comment: IconMessage,
  correction: IconPencilCheck,
  preference: IconArrowsDiff,
};

export function FeedbackIcon({ feedback, ...props }: IconProps & { feedback: Feedback }) {
  const Glyph = ICONS[isDown(feedback) ? "down" : feedback.metric];
  return <Glyph size={16} stroke={1.6} aria-hidden {...props} />;
}

function isDown({ metric, value }: Feedback): boolean {
  return metric === "thumbs" && value === false;
}

export function titleOf(feedback: Feedback): string {
  if (feedback.metric === "thumbs") return isDown(feedback) ? "Bad answer" : "Good answer";
  return METRICS[feedback.metric];
}

export function FeedbackIcons({ feedback }: { feedback: Feedback[] }) {
  if (feedback.length === 0) return null;
  const distinct = new Map(feedback.map((one) => [titleOf(one), one]));
  return (
    <span className={classes.icons}>
      {[...distinct].map(([title, one]) => (
        <span key={title} role="img" aria-label={title} title={title}>
          <FeedbackIcon feedback={one} />
        </span>
      ))}
    </span>
  );
}
