import { useState } from "react";
import type { Check, Health } from "../api";
import type { KnownHealth } from "../useHealth";

const NAMES: Record<string, string> = {
  database: "Database",
  redis: "Redis",
  queue: "Queue",
  jobs: "Jobs",
  "nsfw-detector": "NSFW detector",
};

function checksOf(health: Health): [string, Check][] {
  const { database, redis, queue, services } = health;
  return [...Object.entries({ database, redis, queue }), ...Object.entries(services)];
}

/** The health of each component, as reported by the server; a narrow page shows the summary. */
export function HealthPanel({ health, live }: { health: KnownHealth; live: boolean }) {
  const checks = health ? checksOf(health) : [];
  const down = (health && health.status !== "up") || checks.some(([, check]) => check.status === "down");
  const summary = !health ? "Unknown" : down ? "Degraded" : "All systems up";
  const [open, setOpen] = useState(false);
  const shown = open || down;
  return (
    <section className="card health" aria-labelledby="health-title">
      <header>
        <h2 id="health-title">System</h2>
        {!down && (
          <button
            type="button"
            className="quiet narrow-only"
            aria-expanded={open}
            aria-controls="health-details"
            onClick={() => setOpen(!open)}
          >
            {open ? "Hide" : "Details"}
          </button>
        )}
        <span className={`state ${!health ? "pending" : down ? "down" : "up"}`} role="status">
          {summary}
        </span>
      </header>
      <ul id="health-details" className={shown ? "" : "wide-only"}>
        {checks.map(([name, check]) => (
          <li key={name} title={check.error}>
            <span className={`dot ${check.status}`} aria-hidden="true" />
            <span>{NAMES[name] ?? name}</span>
            <span className="latency">
              {check.status === "up" ? `${check.latency_ms.toFixed(1)} ms` : "down"}
            </span>
          </li>
        ))}
        <li>
          <span className={`dot ${live ? "up" : "down"}`} aria-hidden="true" />
          <span>Live updates</span>
          <span className="latency">{live ? "connected" : "reconnecting…"}</span>
        </li>
      </ul>
      {health && (
        <footer className={shown ? "" : "wide-only"}>
          Version {health.version} · {health.environment}
        </footer>
      )}
    </section>
  );
}
