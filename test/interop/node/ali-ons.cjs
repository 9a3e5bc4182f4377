// Runs beside an installed ali-ons: node ali-ons.cjs NAMESRV TOPIC GROUP COUNT; prints one JSON line.
'use strict'

const { createRequire } = require('node:module')
const { join } = require('node:path')

const { Producer, Consumer, Message } = createRequire(join(process.cwd(), 'index.js'))('ali-ons')
const [nameSrv, topic, group, count] = process.argv.slice(2)
const quiet = { debug() {}, info() {}, warn() {}, error: (...said) => console.error(...said) }
const common = { nameSrv, httpclient: {}, logger: quiet, accessKeyId: 'none', accessKeySecret: 'none' }

async function main() {
  const producer = new Producer({ ...common, producerGroup: `${group}-producer` })
  await producer.ready()
  const sent = []
  for (let i = 0; i < Number(count); i++) {
    const message = new Message(topic, i % 2 === 0 ? 'even' : 'odd', `ons-${i}`)
    message.keys = [`key-${i}`]
    const { sendStatus, msgId } = await producer.send(message)
    sent.push({ sendStatus, msgId })
  }
  const received = []
  let redelivered = 0
  const consumer = new Consumer({ ...common, consumerGroup: group })
  const done = new Promise((resolve) => {
    consumer.subscribe(topic, '*', async (message) => {
      const body = message.body.toString()
      if (body === 'ons-3' && message.reconsumeTimes === 0) return Consumer.ACTION_RETRY
      if (message.reconsumeTimes > 0) redelivered++
      received.push({ body, tags: message.tags, keys: message.keys })
      if (new Set(received.map((one) => one.body)).size >= Number(count)) resolve()
      return undefined
    })
  })
  consumer.on('error', (error) => console.error(error))
  await consumer.ready()
  await done
  console.log(JSON.stringify({ sent, received, redelivered }))
  await consumer.close()
  await producer.close()
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
