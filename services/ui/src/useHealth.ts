import { useEffect, useState } from "react";
import { type Health, readHealth } from "./api";

const EVERY_MS = 5000;

/** The system's health, asked for every few seconds while the page is seen; null if unknown. */
export function useHealth(): Health | null {
  const [health, setHealth] = useState<Health | null>(null);
  useEffect(() => {
    let stopped = false;
    async function look() {
      if (document.hidden) return;
      const found = await readHealth().catch(() => null);
      if (!stopped) setHealth(found);
    }
    void look();
    const timer = setInterval(() => void look(), EVERY_MS);
    return () => {
      stopped = true;
      clearInterval(timer);
    };
  }, []);
  return health;
}
