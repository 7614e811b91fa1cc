import { useCallback, useEffect, useRef, useState } from "react";
import { type Post, listPosts } from "./api";
import { merge, reload } from "./posts";

const REOPEN_MS = 3000;

export interface Feed {
  posts: readonly Post[];
  loaded: boolean;
  live: boolean;
  add: (post: Post) => void;
  remove: (id: string) => void;
}

/** The posts, updated by the server's events. */
export function usePosts(): Feed {
  const [posts, setPosts] = useState<readonly Post[]>([]);
  const [loaded, setLoaded] = useState(false);
  const [live, setLive] = useState(false);

  const shown = useRef(posts);
  shown.current = posts;

  const add = useCallback((post: Post) => setPosts((current) => merge(current, post)), []);
  const remove = useCallback(
    (id: string) => setPosts((current) => current.filter((post) => post.id !== id)),
    [],
  );

  useEffect(() => {
    let source: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;

    async function load() {
      try {
        const before = shown.current;
        const loadedPosts = await listPosts();
        // Merge, since an event may arrive before the list does.
        setPosts((current) => reload(current, loadedPosts, before));
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
      source.addEventListener("deleted", (event) => remove((JSON.parse(event.data) as Post).id));
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
  }, [add, remove]);

  return { posts, loaded, live, add, remove };
}
