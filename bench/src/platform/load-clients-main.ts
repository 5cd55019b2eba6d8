// Loads what a service with real backends does, and says what CPU that took; started by loader-hook.ts.
const modules = ["@heddle/rpc", "@heddle/store", "@heddle/eventlog/kafka", "@aws-sdk/client-s3"];
for (const module of modules) await import(module);
const { user, system } = process.cpuUsage();
console.log((user + system) / 1e6);
