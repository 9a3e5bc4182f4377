/**
 * Links that take their time, as a process: LISTEN_PORT:TARGET_PORT … Each line of standard input is from now on the time
 * that bytes take in each direction, in milliseconds. Prints a line once it listens, and ends with its input.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { HOST } from '../../src/cli/cluster-plan.ts'

/** On the way in one direction of one connection; above it the sender waits: a long wide link has no less. */
const MAX_HELD_BYTES = 64 * 1024 * 1024

let delayMs = 0

/** Bytes of one direction in their order, each `delayMs` after it came. */
function carry(from: Socket, to: Socket): void {
  let held: { readonly bytes: Buffer; readonly dueMs: number }[] = []
  let heldBytes = 0
  let isWaiting = false
  const pass = (): void => {
    isWaiting = false
    const nowMs = performance.now()
    const later = held.findIndex(({ dueMs }) => dueMs > nowMs)
    const due = later < 0 ? held : held.slice(0, later)
    held = later < 0 ? [] : held.slice(later)
    to.cork()
    for (const { bytes } of due) {
      heldBytes -= bytes.length
      to.write(bytes)
    }
    to.uncork()
    if (heldBytes < MAX_HELD_BYTES) from.resume()
    wait()
  }
  const wait = (): void => {
    const first = held[0]
    if (first === undefined || isWaiting) return
    isWaiting = true
    setTimeout(pass, first.dueMs - performance.now())
  }
  from.on('data', (bytes: Buffer) => {
    if (delayMs === 0 && held.length === 0) {
      to.write(bytes)
      return
    }
    held.push({ bytes, dueMs: performance.now() + delayMs })
    heldBytes += bytes.length
    if (heldBytes >= MAX_HELD_BYTES) from.pause()
    wait()
  })
  from.on('error', () => undefined)
  from.on('close', () => to.destroy())
}

for (const pair of process.argv.slice(2)) {
  const [listenPort = 0, targetPort = 0] = pair.split(':').map(Number)
  const server = createServer((near) => {
    const far = connect({ host: HOST, port: targetPort })
    for (const socket of [near, far]) socket.setNoDelay(true)
    carry(near, far)
    carry(far, near)
  })
  server.listen(listenPort, HOST)
  await once(server, 'listening')
}
createInterface({ input: process.stdin })
  .on('line', (text) => (delayMs = Number(text)))
  .on('close', () => process.exit(0))
process.stdout.write('ready\n')
