import { defineConfig } from 'vite';
export default defineConfig({
  esbuild: { jsx: 'automatic' },
  define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}', global: 'globalThis' },
  build: {
    outDir: 'dist',
    chunkSizeWarningLimit: 50000,
    sourcemap: false,
    minify: false,
    target: 'es2022',
    rollupOptions: { shimMissingExports: true, onwarn() {} },
  },
});
