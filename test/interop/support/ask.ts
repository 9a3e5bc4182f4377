import { connect } from 'node:net'
import { decodeFrame, frameCutter, type SeenFrame } from '../tools/frames.ts'

/** One request over a connection of its own, by hand: for what no stock client offers. Rejects after five seconds. */
export async function ask(
  address: string,
  code: number,
  extFields: Readonly<Record<string, string>> = {},
  body: string | Buffer = '',
): Promise<SeenFrame> {
  const at = address.lastIndexOf(':')
  const header = Buffer.from(
    JSON.stringify({
      code,
      flag: 0,
      language: 'OTHER',
      opaque: 1,
      serializeTypeCurrentRPC: 'JSON',
      version: 479,
      extFields,
    }),
  )
  const content = typeof body === 'string' ? Buffer.from(body) : body
  const frame = Buffer.alloc(8 + header.length + content.length)
  frame.writeUInt32BE(frame.length - 4, 0)
  frame.writeUInt32BE(header.length, 4)
  header.copy(frame, 8)
  content.copy(frame, 8 + header.length)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) })
    const timer = setTimeout(() => socket.destroy(new Error(`${address} did not answer ${code} within 5 s`)), 5_000)
    const done = (): void => {
      clearTimeout(timer)
      socket.destroy()
    }
    socket.on(
      'data',
      frameCutter((bytes) => {
        resolve(decodeFrame(bytes))
        done()
      }),
    )
    socket.once('error', reject)
    socket.once('close', () => {
      clearTimeout(timer)
      reject(new Error(`${address} closed the connection on ${code}`))
    })
    socket.write(frame, () => {})
  })
}
