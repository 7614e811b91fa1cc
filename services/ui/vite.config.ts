import react from "@vitejs/plugin-react";
import { loadEnv } from "vite";
import { defineConfig } from "vitest/config";

// `npm run dev` proxies the API to a local server, `vrooli dev ui` to API_URL. Behind the Ingress,
// page and API share an address. Names of hosts are answered if the Ingress has them: any other
// website could otherwise read the page by a name of its own for this address.
const { API_URL, ALLOWED_HOSTS } = loadEnv("development", ".", ["API_", "ALLOWED_"]);
const api = { "/api": API_URL ?? "http://127.0.0.1:5329" };

export default defineConfig({
  plugins: [react()],
  server: { proxy: api, allowedHosts: ALLOWED_HOSTS?.split(",") ?? [] },
  build: { sourcemap: false, target: "es2022" },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
