export { chartedApps, type ChartedApp } from "./apps.ts";
export { chartsFolder, generatedFiles } from "./chart-files.ts";
