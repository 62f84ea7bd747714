import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = process.env.HEADSTART_URL ?? "http://127.0.0.1:8080";

/** Built into the Python package, which serves it; `npm run dev` proxies a running server. */
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/headstart/console",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the content security policy allows no data: scripts or fonts
    chunkSizeWarningLimit: 900,
  },
  server: {
    proxy: Object.fromEntries(
      ["/v1", "/sign-in", "/health"].map((path) => [path, { target: server }]),
    ),
  },
});
