import type { Check, Health } from "../api";

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

/** The health of each component, as reported by the server. */
export function HealthPanel({ health, live }: { health: Health | null; live: boolean }) {
  const checks = health ? checksOf(health) : [];
  const down = (health && health.status !== "up") || checks.some(([, check]) => check.status === "down");
  const summary = !health ? "Unknown" : down ? "Degraded" : "All systems up";
  return (
    <section className="card health" aria-labelledby="health-title">
      <header>
        <h2 id="health-title">System</h2>
        <span className={`state ${!health ? "pending" : down ? "down" : "up"}`} role="status">
          {summary}
        </span>
      </header>
      <ul>
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
        <footer>
          Version {health.version} · {health.environment}
        </footer>
      )}
    </section>
  );
}
