import { open } from "lmdb";
import { rmSync } from "node:fs";
rmSync("/tmp/t/small/db",{recursive:true,force:true});
const env = open({ path: "/tmp/t/small/db", mapSize: 64<<20, overlappingSync: false, maxDbs: 64, encoding:"binary" });
const db = env.openDB({ name: "a", encoding: "binary", useVersions: true });
process.on("unhandledRejection", (e)=>console.log("UNHANDLED", e));
for (let i=0;i<14;i++){ 
  const r = await db.ifVersion("k"+i, null as any, ()=>{ db.put("k"+i, Buffer.alloc(200000), 1); }).then(x=>x, async (e:any)=>[e.message, await e.commitError?.catch((x:any)=>x)]);
  console.log(i, r);
}
await db.remove("k0").then(console.log, console.log);
await db.remove("k1").then(console.log, console.log);
console.log(db.getCount());
console.log(await db.put("z", Buffer.alloc(100000), 1), db.getCount(), [...db.getKeys()]);
console.log(env.getStats(), db.getStats());
await env.close();
