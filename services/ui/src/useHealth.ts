import { useEffect, useState } from "react";
import { type Health, readHealth } from "./api";

const INTERVAL_MS = 5000;

/** The system's health, polled while the page is visible; null if unknown. */
export function useHealth(): Health | null {
  const [health, setHealth] = useState<Health | null>(null);
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
