import { useCallback, useEffect, useState } from "react";
import { type Post, listPosts } from "./api";
import { merge } from "./posts";

const REOPEN_MS = 3000;

export interface Feed {
  posts: readonly Post[];
  loaded: boolean;
  live: boolean;
  add: (post: Post) => void;
}

/** The posts, kept up to date by the server's events. */
export function usePosts(): Feed {
  const [posts, setPosts] = useState<readonly Post[]>([]);
  const [loaded, setLoaded] = useState(false);
  const [live, setLive] = useState(false);

  const add = useCallback((post: Post) => setPosts((known) => merge(known, post)), []);

  useEffect(() => {
    let source: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;

    async function load() {
      try {
        const found = await listPosts();
        // Merged, not replaced: an event may have come while the list was on its way.
        setPosts((known) => found.reduce(merge, known));
        setLoaded(true);
      } catch {
        timer = setTimeout(load, REOPEN_MS);
      }
    }

    function open() {
      source = new EventSource("/api/posts/events");
      // The list is asked for only once the events flow, so nothing falls between the two.
      source.addEventListener("hello", () => {
        setLive(true);
        void load();
      });
      source.addEventListener("resync", () => void load());
      source.addEventListener("post", (event) => add(JSON.parse(event.data) as Post));
      source.addEventListener("error", () => {
        setLive(false);
        // A browser opens a broken stream again by itself, but not one that was refused.
        if (source?.readyState === EventSource.CLOSED) timer = setTimeout(open, REOPEN_MS);
      });
    }

    open();
    return () => {
      source?.close();
      clearTimeout(timer);
    };
  }, [add]);

  return { posts, loaded, live, add };
}
