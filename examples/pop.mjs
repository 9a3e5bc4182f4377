// Consumers without queues of their own: the broker keeps track of every message.
// npm start; node examples/pop.mjs [namesrv]
import process from 'node:process'
import { PopConsumer, Producer } from 'raftmq/client'

const namesrv = process.argv[2] ?? '127.0.0.1:9876'
const topic = 'ExampleJobs'

const producer = new Producer({ namesrv, group: 'example-jobs' })
await producer.start()
for (const body of ['sweep', 'mop', 'dust']) await producer.send({ topic, body })

let done = 0
let finish
const finished = new Promise((resolve) => (finish = resolve))
const workers = [1, 2].map(() => new PopConsumer({ namesrv, group: 'example-workers', from: 'first', pollMs: 500 }))
for (const worker of workers) {
  worker.subscribe(topic)
  await worker.run((message) => {
    console.log(`done: ${message.body.toString()}`)
    if (++done === 3) finish()
  })
}
await finished
for (const worker of workers) await worker.close()
await producer.close()
