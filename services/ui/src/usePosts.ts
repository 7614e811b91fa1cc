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

/** The posts, updated by the server's events. */
export function usePosts(): Feed {
  const [posts, setPosts] = useState<readonly Post[]>([]);
  const [loaded, setLoaded] = useState(false);
  const [live, setLive] = useState(false);

  const add = useCallback((post: Post) => setPosts((current) => merge(current, post)), []);

  useEffect(() => {
    let source: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;

    async function load() {
      try {
        const loadedPosts = await listPosts();
        // Merge, since an event may arrive before the list does.
        setPosts((current) => loadedPosts.reduce(merge, current));
        setLoaded(true);
      } catch {
        timer = setTimeout(load, REOPEN_MS);
      }
    }

    function open() {
      source = new EventSource("/api/posts/events");
      // Load the list only after the stream is connected, so that no change is missed.
      source.addEventListener("hello", () => {
        setLive(true);
        void load();
      });
      source.addEventListener("resync", () => void load());
      source.addEventListener("post", (event) => add(JSON.parse(event.data) as Post));
      source.addEventListener("error", () => {
        setLive(false);
        // Browsers reconnect a broken stream, but not one that was rejected.
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
