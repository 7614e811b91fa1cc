import react from "@vitejs/plugin-react";
import { loadEnv } from "vite";
import { defineConfig } from "vitest/config";

// `npm run dev` proxies the API to a local server, `vrooli dev ui` to API_URL. Behind the Ingress,
// page and API share an address, and the Ingress decides which names of hosts are answered.
const { API_URL, BEHIND_INGRESS } = loadEnv("development", ".", ["API_", "BEHIND_"]);
const api = { "/api": API_URL ?? "http://127.0.0.1:5329" };

export default defineConfig({
  plugins: [react()],
  server: { proxy: api, allowedHosts: BEHIND_INGRESS ? true : [] },
  build: { sourcemap: false, target: "es2022" },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
