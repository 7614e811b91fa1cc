import { useEffect, useRef, useState } from "react";
import { Composer } from "./components/Composer";
import { HealthPanel } from "./components/HealthPanel";
import { PostCard } from "./components/PostCard";
import { useHealth } from "./useHealth";
import { usePosts } from "./usePosts";

/** The current time, updated twice a minute to refresh relative times. */
function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** The whole page. */
export function App() {
  const { posts, loaded, live, add, remove } = usePosts();
  const health = useHealth();
  const now = useNow();
  const list = useRef<HTMLElement>(null);

  function removed(id: string) {
    remove(id);
    // The focus was on a button of the post.
    list.current?.focus();
  }

  return (
    <>
      <header className="top">
        <div className="brand">
          <img src="/favicon.svg" alt="" width="36" height="36" />
          <div>
            <h1>Vrooli</h1>
            <p>Share something. Each picture is checked before anyone sees it.</p>
          </div>
        </div>
      </header>
      <main>
        {health === null && (
          <p className="card outage" role="alert">
            The server is unreachable. The page connects again by itself; what you write is kept.
          </p>
        )}
        <Composer onPosted={add} />
        <aside>
          <HealthPanel health={health} live={live} />
        </aside>
        <section ref={list} tabIndex={-1} aria-label="Posts" aria-live="polite" aria-busy={!loaded}>
          {posts.map((post) => (
            <PostCard key={post.id} post={post} now={now} onDeleted={removed} />
          ))}
          {posts.length === 0 && (
            <p className="empty">
              {loaded ? "No posts yet. Be the first to post." : "Loading the posts…"}
            </p>
          )}
        </section>
      </main>
    </>
  );
}
