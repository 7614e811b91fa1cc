import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// During `npm run dev` the API comes from a server on this machine; behind the Ingress both have
// one address, so the page itself only ever asks for /api.
const api = { "/api": "http://127.0.0.1:5329" };

export default defineConfig({
  plugins: [react()],
  server: { proxy: api },
  build: { sourcemap: false, target: "es2022" },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
