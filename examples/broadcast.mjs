// Every member of the group takes every message, and keeps in a file of its own how far it is.
// npm start; node examples/broadcast.mjs [namesrv]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { Producer, PushConsumer } from 'raftmq/client'

const namesrv = process.argv[2] ?? '127.0.0.1:9876'
const topic = 'ExampleSettings'

const producer = new Producer({ namesrv, group: 'example-settings' })
await producer.start()
await producer.send({ topic, body: 'language=de' })
await producer.close()

// An application keeps the file where it survives a restart.
const folder = mkdtempSync(join(tmpdir(), 'example-broadcast-'))
for (const name of ['kitchen', 'office']) {
  const options = { namesrv, group: 'example-displays', model: 'broadcast', from: 'first' }
  const consumer = new PushConsumer({ ...options, offsetFile: join(folder, `${name}.json`) }).subscribe(topic)
  for await (const message of consumer) {
    console.log(`${name}: ${message.body.toString()}`)
    break
  }
  await consumer.close()
}
rmSync(folder, { recursive: true })
