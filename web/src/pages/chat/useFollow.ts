/** Keeps the end of a growing page in view, unless the reader has scrolled up. */
import { useEffect, useLayoutEffect, useRef, useState } from "react";

const NEAR = 120; // pixels from the end that still count as being there

export function useFollow(growing: unknown, conversationId: string | undefined) {
  const following = useRef(true);
  const [away, setAway] = useState(false);

  useEffect(() => {
    const onScroll = () => {
      const { scrollHeight, clientHeight } = document.documentElement;
      following.current = scrollHeight - clientHeight - scrollY < NEAR;
      setAway(!following.current);
    };
    addEventListener("scroll", onScroll, { passive: true });
    return () => removeEventListener("scroll", onScroll);
  }, []);

  useEffect(() => {
    following.current = true;
  }, [conversationId]);

  useLayoutEffect(() => {
    if (following.current) toEnd();
  }, [growing]);

  return {
    away,
    toEnd: () => {
      following.current = true;
      toEnd("smooth");
    },
  };
}

function toEnd(behavior: ScrollBehavior = "instant"): void {
  scrollTo({ top: document.documentElement.scrollHeight, behavior });
}
