// SPDX-License-Identifier: PostgreSQL
// The peers that come from npm, doing what the benchmark asks: node peers.mjs TASK ARGUMENTS…
//   notify-latency FILE      listens on "bench"; a payload is the epoch second of its NOTIFY
//   graphile-latency FILE    runs jobs "bench" whose payload {"at"} is the epoch second of their making
//   graphile-drain           runs all jobs "bench" that wait, prints how many and in how many seconds
//   pgboss-fill N            puts N jobs into the queue "bench"
//   pgboss-drain             fetches and completes all jobs of "bench", prints how many and in how many seconds
// A latency task writes milliseconds, one a line, until SIGTERM.  Connects as libpq would, by PGHOST and the like.
import { createWriteStream, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.BENCH_NODE_MODULES, 'peers.js'));
const pg = require('pg');
const quiet = () => ({ error: () => {}, warn: () => {}, info: () => {}, debug: () => {} });

const milliseconds_since = (epoch) => performance.timeOrigin + performance.now() - epoch * 1000;

function writer(file) {
  const lines = createWriteStream(file);
  process.once('SIGTERM', () => lines.end(() => process.exit(0)));
  return (epoch) => lines.write(`${milliseconds_since(Number(epoch)).toFixed(3)}\n`);
}

async function notify_latency(file) {
  const write = writer(file);
  const client = new pg.Client();
  await client.connect();
  client.on('notification', (message) => write(message.payload));
  await client.query('LISTEN bench');
  writeFileSync(`${file}.ready`, '');
}

async function graphile_runner(task, options) {
  const { run, Logger } = require('graphile-worker');
  const pool = new pg.Pool({ max: 20 });
  return run({ pgPool: pool, noHandleSignals: true, logger: new Logger(() => () => {}), taskList: { bench: task }, ...options });
}

async function graphile_latency(file) {
  const write = writer(file);
  await graphile_runner((payload) => write(payload.at), { concurrency: 8, pollInterval: 2000 });
  writeFileSync(`${file}.ready`, '');
}

// As its own performance test does it: many jobs at once, batches taken and completed together.
async function graphile_drain() {
  const pool = new pg.Pool({ max: 2 });
  const waiting = Number((await pool.query('SELECT count(*) FROM graphile_worker.jobs')).rows[0].count);
  let done = 0;
  let finished;
  const all = new Promise((resolve) => { finished = resolve; });
  const began = performance.now();
  const runner = await graphile_runner(() => { if (++done === waiting) finished(); }, {
    concurrency: 24,
    preset: { worker: { concurrentJobs: 24, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  });
  await all;
  await runner.stop();
  const left = Number((await pool.query('SELECT count(*) FROM graphile_worker.jobs')).rows[0].count);
  const seconds = (performance.now() - began) / 1000;
  await pool.end();
  if (left !== 0) throw new Error(`${left} jobs are left`);
  console.log(`${waiting} ${seconds}`);
  process.exit(0);
}

async function boss() {
  const PgBoss = require('pg-boss');
  const started = new PgBoss({ host: process.env.PGHOST, port: Number(process.env.PGPORT), user: process.env.PGUSER, database: process.env.PGDATABASE,
    supervise: false, schedule: false });
  started.on('error', quiet().error);
  await started.start();
  return started;
}

async function pgboss_fill(count) {
  const queue = await boss();
  await queue.createQueue('bench');
  for (let made = 0; made < count; made += 1000) {
    await queue.insert(Array.from({ length: Math.min(1000, count - made) }, (_, n) => ({ name: 'bench', data: { record: made + n } })));
  }
  await queue.stop();
}

async function pgboss_drain() {
  const queue = await boss();
  let done = 0;
  const began = performance.now();
  for (;;) {
    const jobs = await queue.fetch('bench', { batchSize: 1000 });
    if (jobs.length === 0) break;
    await queue.complete('bench', jobs.map((job) => job.id));
    done += jobs.length;
  }
  console.log(`${done} ${(performance.now() - began) / 1000}`);
  await queue.stop();
}

const tasks = {
  'notify-latency': notify_latency,
  'graphile-latency': graphile_latency,
  'graphile-drain': graphile_drain,
  'pgboss-fill': (count) => pgboss_fill(Number(count)),
  'pgboss-drain': pgboss_drain,
};
await tasks[process.argv[2]](...process.argv.slice(3));
