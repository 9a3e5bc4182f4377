/** What this machine says of itself, for options that a file leaves open. */
import { homedir, hostname, networkInterfaces, totalmem } from 'node:os'
import type { Machine } from '../broker/options/options.ts'

export function thisMachine(): Machine {
  return {
    hostName: hostname(),
    homeFolder: homedir(),
    localAddress: firstAddress(),
    namesrvAddr: process.env['NAMESRV_ADDR'],
    memoryBytes: totalmem(),
  }
}

/** As RocketMQ's NetworkUtil: an IPv4 address that is not the loopback, if there is one; else IPv6; else the loopback. */
function firstAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const outside = all.filter(({ internal, scopeid = 0 }) => !internal && scopeid === 0)
  const found = outside.find(({ family }) => family === 'IPv4') ?? outside[0]
  return found?.address ?? '127.0.0.1'
}
