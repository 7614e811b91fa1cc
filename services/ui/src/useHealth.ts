import { useEffect, useState } from "react";
import { type Health, readHealth } from "./api";

const INTERVAL_MS = 5000;

/** The last report; null if the server did not send one, undefined before the first request. */
export type KnownHealth = Health | null | undefined;

/** The system's health, polled while the page is visible. */
export function useHealth(): KnownHealth {
  const [health, setHealth] = useState<KnownHealth>(undefined);
  useEffect(() => {
    let stopped = false;
    async function poll() {
      if (document.hidden) return;
      const report = await readHealth().catch(() => null);
      if (!stopped) setHealth(report);
    }
    void poll();
    const timer = setInterval(() => void poll(), INTERVAL_MS);
    return () => {
      stopped = true;
      clearInterval(timer);
    };
  }, []);
  return health;
}
